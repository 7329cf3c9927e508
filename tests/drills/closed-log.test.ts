import { expect, test } from 'bun:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder } from '../support/executable.ts'
import { FROM_SOURCE, settings } from './support/exoix-process.ts'

test('a server goes on when nobody takes its log any more', async () => {
  using folder = temporaryFolder()
  const simulator = await startSimulator({ identifyIntervalMs: 0 })
  simulator.world.addGuild({ members: 3 })
  const child = Bun.spawn([...FROM_SOURCE], {
    cwd: folder.path,
    env: { ...process.env, ...settings(simulator, { LOG_LEVEL: 'debug' }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const reader = child.stderr.getReader()
    const { value } = await reader.read()
    const url = /url=(\S+)/.exec(new TextDecoder().decode(value))?.[1]
    await simulator.next('ready')
    await reader.cancel()

    simulator.faults.reconnect()
    await Promise.race([simulator.next('resumed'), child.exited])
    expect(child.exitCode).toBeNull()
    // Member lists may still be on their way: what is asked for needs none.
    expect((await fetch(`${url}/`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await simulator.stop()
  }
}, 30_000)
