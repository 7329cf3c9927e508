import { fileURLToPath } from 'node:url'

/** A script of this folder in a process of its own, which answers questions one after the other. */
export interface Worker extends AsyncDisposable {
  /** Rejects when the script throws, or ends. */
  ask<T>(question: string, argument?: unknown): Promise<T>
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
  readonly pid: number
}

interface Question {
  readonly question: string
  readonly argument: unknown
}

type Reply = { readonly value: unknown } | { readonly problem: string }

export function startWorker(script: string, env: Readonly<Record<string, string>> = {}): Worker {
  const waiting: PromiseWithResolvers<unknown>[] = []
  const child = Bun.spawn([process.execPath, fileURLToPath(new URL(script, import.meta.url))], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    serialization: 'json',
    ipc(reply: Reply) {
      const asked = waiting.shift()
      if ('problem' in reply) asked?.reject(new Error(`${script}: ${reply.problem}`))
      else asked?.resolve(reply.value)
    },
    onExit(_child, code, signal) {
      for (const asked of waiting.splice(0)) asked.reject(new Error(`${script} ended (${code ?? signal})`))
    },
  })
  return {
    ask<T>(question: string, argument?: unknown) {
      const asked = Promise.withResolvers<unknown>()
      waiting.push(asked)
      child.send({ question, argument } satisfies Question)
      return asked.promise as Promise<T>
    },
    ended: child.exited,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** The worker's side: what it does for each question. */
export function answerQuestions(answers: Readonly<Record<string, (argument: never) => unknown>>): void {
  const say = (reply: Reply) => void process.send?.(reply)
  let last = Promise.resolve()
  process.on('message', (message: unknown) => {
    const { question, argument } = message as Question
    last = last
      .then(() => answers[question]?.(argument as never))
      .then(
        value => say({ value }),
        error => say({ problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
}
