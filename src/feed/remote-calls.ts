import type { Calls, Look } from '../domain/calls.ts'
import { ApiError, internalError, unreachable } from '../domain/errors.ts'
import type { HistoryQuery } from '../domain/history-views.ts'
import { type Clock, systemClock } from '../lib/clock.ts'

/** What of the calls can be asked from elsewhere. */
const ASKED = [
  'ownerOf',
  'pairs',
  'put',
  'merge',
  'delete',
  'clear',
  'history',
  'stats',
  'topTracks',
  'appIcon',
] as const

type Asked = (typeof ASKED)[number]

interface RemoteCallsOptions {
  /** Brings a request to whoever owns the truth. */
  readonly send: (request: string) => void
  /** Somebody looks at these people. */
  readonly looked: (userIds: readonly string[]) => void
  /** Milliseconds until a request that was not answered is given up. */
  readonly patience: number
  readonly clock?: Clock
}

interface Waiting {
  readonly request: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly cancel: () => void
}

/** People somebody looked at that are told together: one is as good as a hundred. */
const MOST_LOOKED = 1000
const LOOK_EVERY = 1000

/** The calls of a door that is somewhere else than the truth. A key never travels, only its hash. */
export class RemoteCalls implements Calls {
  readonly #options: RemoteCallsOptions
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  readonly #looked = new Set<string>()
  #count = 0

  constructor({ clock = systemClock, ...options }: RemoteCallsOptions) {
    this.#options = options
    this.#clock = clock
  }

  async ownerOf(keyHash: string): Promise<string | undefined> {
    const owner = await this.#ask('ownerOf', keyHash)
    return typeof owner === 'string' ? owner : undefined
  }

  async pairs(keyHash: string, id: string): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#ask('pairs', keyHash, id)) as [string, string][])
  }

  async put(keyHash: string, id: string, key: string, value: string): Promise<void> {
    await this.#ask('put', keyHash, id, key, value)
  }

  async merge(keyHash: string, id: string, pairs: unknown): Promise<void> {
    await this.#ask('merge', keyHash, id, pairs)
  }

  async delete(keyHash: string, id: string, key: string): Promise<void> {
    await this.#ask('delete', keyHash, id, key)
  }

  async clear(keyHash: string, id: string): Promise<void> {
    await this.#ask('clear', keyHash, id)
  }

  async history(userId: string, query: HistoryQuery): Promise<string> {
    return String(await this.#ask('history', userId, query))
  }

  async stats(userId: string): Promise<string> {
    return String(await this.#ask('stats', userId))
  }

  async topTracks(userId: string, days: number): Promise<string> {
    return String(await this.#ask('topTracks', userId, days))
  }

  async appIcon(applicationId: string): Promise<string | null> {
    const icon = await this.#ask('appIcon', applicationId)
    return typeof icon === 'string' ? icon : null
  }

  looked(userId: string, at: Look = 'account'): void {
    if (this.#looked.size === 0) this.#clock.after(LOOK_EVERY, () => this.flushLooks())
    if (this.#looked.size < MOST_LOOKED) this.#looked.add(at === 'account' ? userId : PROFILE + userId)
  }

  /** Tells whom somebody looked at. */
  flushLooks(): void {
    if (this.#looked.size > 0) this.#options.looked([...this.#looked])
    this.#looked.clear()
  }

  /** Sends anew what was not answered. */
  resend(): void {
    for (const { request } of this.#waiting.values()) this.#options.send(request)
  }

  /** Takes an answer to a request. Of one that was given up it says nothing. */
  answered(answer: string): void {
    const { id, value, error } = JSON.parse(answer) as Answer
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    waiting.cancel()
    if (error === undefined) waiting.resolve(value)
    else waiting.reject(new ApiError(error.status, error.code, error.message, error.headers))
  }

  #ask(name: Asked, ...given: readonly unknown[]): Promise<unknown> {
    const id = ++this.#count
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const cancel = this.#clock.after(this.#options.patience, () => {
      this.#waiting.delete(id)
      reject(unreachable())
    })
    const request = JSON.stringify({ id, name, given } satisfies Request)
    this.#waiting.set(id, { request, resolve, reject, cancel })
    this.#options.send(request)
    return promise
  }
}

/** Before the id of somebody whose profile is meant. */
const PROFILE = 'profile:'

/** Tells whom somebody looked at elsewhere. */
export function passLooks(calls: Pick<Calls, 'looked'>, looks: readonly string[]): void {
  for (const look of looks) {
    if (look.startsWith(PROFILE)) calls.looked(look.slice(PROFILE.length), 'profile')
    else calls.looked(look)
  }
}

interface Request {
  readonly id: number
  readonly name: string
  readonly given: readonly unknown[]
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: Pick<ApiError, 'status' | 'code' | 'message' | 'headers'>
}

/** Carries a request out and resolves with the answer to be brought back; never rejects. */
export async function answerRequest(calls: Calls, request: string): Promise<string> {
  const { id, name, given } = JSON.parse(request) as Request
  try {
    if (!isAsked(name)) throw internalError()
    const value = await carryOut(calls, name, given)
    return JSON.stringify({ id, value } satisfies Answer)
  } catch (error) {
    const { status, code, message, headers } = error instanceof ApiError ? error : internalError()
    return JSON.stringify({ id, error: { status, code, message, headers } } satisfies Answer)
  }
}

const isAsked = (name: string): name is Asked => (ASKED as readonly string[]).includes(name)

async function carryOut(calls: Calls, name: Asked, given: readonly unknown[]): Promise<unknown> {
  const call: (...given: never[]) => Promise<unknown> = calls[name]
  const value = await call.apply(calls, given as never[])
  return value instanceof Map ? [...value] : value
}
