import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { ApiError, FatalError } from '../domain/errors.ts'
import { MEASURES, type Measure, type MeasureTaken, type Moderation } from '../domain/moderation.ts'
import { isObject, isSnowflake } from '../domain/presence.ts'
import { describeError, type Log } from '../lib/log.ts'
import { databaseFile, MEMORY } from '../store/files.ts'

/** Where a server takes the operator's measures: a socket beside its database, for the owner of the database alone. */
const socketOf = (file: string) => `${file}.sock`

/** Names of sockets are short: what is longer is reached by way of its folder. Characters. */
const LONGEST_NAME = 100

/** Runs it with a name for the socket that is short enough. */
function withShortName<T>(path: string, use: (name: string) => T): T {
  if (path.length <= LONGEST_NAME || process.platform !== 'linux') return use(path)
  const folder = openSync(dirname(path), 'r')
  const close = () => closeSync(folder)
  try {
    const result = use(`/proc/self/fd/${folder}/${basename(path)}`)
    if (result instanceof Promise) return result.finally(close) as T
    close()
    return result
  } catch (error) {
    close()
    throw error
  }
}

/** What the operator may ask a server. */
interface Asked {
  readonly moderation: Moderation
  /** Keeps at once what is else kept a moment later. */
  keepAll(): Promise<void>
}

/** A server's ear for `exoix hide` and the like. */
export interface Control {
  stop(): Promise<void>
}

/** Begins to listen. Where that cannot be, the server runs all the same, and it is said why the commands cannot. */
export function openControl(databasePath: string, asked: Asked, log: Log): Control {
  const file = databaseFile(databasePath)
  if (file === MEMORY || process.platform === 'win32') return { stop: async () => {} }
  const path = socketOf(file)
  // One that a killed process has left: the claim on the database says that nobody else uses it.
  rmSync(path, { force: true })
  const umask = process.umask(0o177)
  try {
    const server = withShortName(path, unix => Bun.serve({ unix, fetch: request => answer(request, asked) }))
    return {
      async stop() {
        await server.stop(true)
        rmSync(path, { force: true })
      },
    }
  } catch (error) {
    log.warn('hide, show, erase and revoke on the command line will not reach this server', {
      error: describeError(error),
    })
    return { stop: async () => {} }
  } finally {
    process.umask(umask)
  }
}

async function answer(request: Request, { moderation, keepAll }: Asked): Promise<Response> {
  if (new URL(request.url).pathname === KEEP) {
    await keepAll()
    return Response.json({ done: true, text: '' })
  }
  const measure = MEASURES.find(name => new URL(request.url).pathname === `/${name}`)
  const userId = await request.text()
  if (measure === undefined || !isSnowflake(userId)) return new Response(null, { status: 400 })
  try {
    return Response.json(await moderation.take(measure, userId))
  } catch (error) {
    const text = error instanceof ApiError ? `${error.message}.` : describeError(error)
    return Response.json({ done: false, text })
  }
}

const KEEP = '/keep'

/** Has the server that uses the database, if there is one, keep what it will keep in a moment anyway. */
export async function keepNow(file: string): Promise<void> {
  if (existsSync(socketOf(file))) await ask(file, KEEP).catch(() => {})
}

function ask(file: string, path: string, body = ''): Promise<MeasureTaken> {
  return withShortName(socketOf(file), async unix => {
    const answered = await fetch(`http://exoix${path}`, { unix, method: 'POST', body })
    const told: unknown = await answered.json()
    if (!isObject(told) || typeof told.text !== 'string') throw new Error('the answer was not understood')
    return { done: told.done === true, text: told.text }
  })
}

/** Asks the server that has claimed the database to take a measure. Throws FatalError when none answers. */
export async function askControl(file: string, measure: Measure, userId: string): Promise<MeasureTaken> {
  try {
    return await ask(file, `/${measure}`, userId)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new FatalError(`The Exoix that uses ${file} takes no commands from here (${reason}). Stop it first.`)
  }
}
