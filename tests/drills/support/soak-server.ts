/** Exoix in a process whose clock runs fast, which can be asked what it still holds. */
import './fast-clock.ts'
import { heapStats } from 'bun:jsc'
import type { App } from '../../../src/app.ts'
import { answerQuestions } from './worker.ts'

/** What the process holds after everything that can be collected is gone. Bytes, and numbers of objects. */
export interface Holdings {
  readonly heap: number
  readonly resident: number
  readonly people: number
  readonly sockets: number
  readonly subscribers: number
  readonly timers: number
  readonly objects: number
}

let app: App | undefined
let server: Bun.Server<unknown> | undefined
/** Everybody who was there since the last look: somebody may still be subscribed to them. */
let everybody = new Set<string>()

/** The application does not hand out its server; nobody else opens one here. */
const serve = Bun.serve
Bun.serve = ((options: never) => {
  server = serve(options)
  return server
}) as typeof serve

async function start(env: Record<string, string>): Promise<string> {
  const [{ startApp }, { readConfig }] = await Promise.all([
    import('../../../src/app.ts'),
    import('../../../src/config.ts'),
  ])
  app = startApp(readConfig({ ...env, LOG_LEVEL: 'error' }))
  app.presences.onChange(({ id }) => void everybody.add(id))
  await app.gateway.whenLoaded
  return app.url
}

function subscribers(): number {
  const count = (topic: string) => server?.subscriberCount(topic) ?? Number.NaN
  let sum = count('all') + count('all.zlib')
  for (const id of everybody) {
    for (const family of ['one', 'many', 'one.zlib', 'many.zlib']) sum += count(`${family}:${id}`)
  }
  everybody = new Set(app?.presences.ids())
  return sum
}

function measure(): Holdings {
  Bun.gc(true)
  Bun.gc(true)
  const { heapSize, objectCount, objectTypeCounts } = heapStats()
  const { Timeout = 0, Immediate = 0 } = objectTypeCounts
  return {
    heap: heapSize,
    resident: process.memoryUsage.rss(),
    people: app?.presences.size ?? 0,
    sockets: server?.pendingWebSockets ?? Number.NaN,
    subscribers: subscribers(),
    timers: Timeout + Immediate,
    objects: objectCount,
  }
}

/** Afterwards nothing may keep the process from ending by itself. */
async function stop(): Promise<void> {
  await app?.stop()
  setImmediate(() => process.disconnect?.())
}

answerQuestions({ start, measure, stop })
