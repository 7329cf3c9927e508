import { fileURLToPath } from 'node:url'
import type { Answer, Call } from './commands.ts'

/** A script of processes/ in a process of its own, so that what it uses is measured apart. */
export interface Child {
  readonly pid: number
  /** Runs one of the script's commands there. Rejects when it throws, or the process ends. */
  call<T>(command: string, argument?: unknown): Promise<T>
  stop(): Promise<void>
}

/** Starts `processes/<name>.ts` and waits until it takes commands. */
export async function startChild(name: string): Promise<Child> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<unknown>()
  waiting.set(0, ready)
  let calls = 0

  const child = Bun.spawn([process.execPath, fileURLToPath(new URL(`../processes/${name}.ts`, import.meta.url))], {
    stdio: ['ignore', 'inherit', 'inherit'],
    serialization: 'json',
    ipc(answer: Answer) {
      const call = waiting.get(answer.call)
      waiting.delete(answer.call)
      if (answer.error === undefined) call?.resolve(answer.result)
      else call?.reject(new Error(`${name}: ${answer.error}`))
    },
    onExit(_child, code, signal) {
      for (const call of waiting.values()) call.reject(new Error(`${name} ended (${code ?? signal})`))
    },
  })
  await ready.promise

  return {
    pid: child.pid,
    call<T>(command: string, argument?: unknown) {
      const call: Call = { call: ++calls, command, argument }
      const answer = Promise.withResolvers<unknown>()
      waiting.set(call.call, answer)
      child.send(call)
      return answer.promise as Promise<T>
    },
    async stop() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Starts the scripts, runs `use` with them and ends them, whatever happens. */
export async function withChildren<T>(names: readonly string[], use: (...children: Child[]) => Promise<T>): Promise<T> {
  const children: Child[] = []
  try {
    for (const name of names) children.push(await startChild(name))
    return await use(...children)
  } finally {
    await Promise.all(children.map(child => child.stop()))
  }
}
