import { randomBytes } from 'node:crypto'
import { GithubProblem, type Proof } from '../domain/github.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import { type Clock, DAY, MINUTE } from '../lib/clock.ts'
import type { AttemptLimit } from './attempt-limit.ts'
import type { Ask } from './client.ts'
import type { Links } from './links.ts'
import { type Described, keepProved, type ProofMethod, readAccount } from './proof.ts'

/** Gists that are opened: each costs a request, and one with the code in it is enough. */
const GISTS = 3
/** A gist larger than this is not opened: nobody proves anything with one. Bytes. */
const LARGEST_GIST = 256 * 1024
/** GitHub's clock may be behind ours. Milliseconds. */
const SKEW = MINUTE

/** Whether the code stands in the text as a word of its own: not as a part of a longer one. */
export function hasToken(text: unknown, code: string): boolean {
  return typeof text === 'string' && text.split(/[^\p{L}\p{N}_-]+/u).includes(code)
}

/** Looks into the account's public gists that were touched since the code was made: description, file names, contents. */
export async function findInGists(ask: Ask, account: Described, code: string, since: number): Promise<boolean> {
  const from = encodeURIComponent(new Date(since - SKEW).toISOString())
  const list = await ask(`/users/${encodeURIComponent(account.login)}/gists?per_page=${GISTS}&since=${from}`)
  const gists = Array.isArray(list) ? list.filter(gist => isPublicGistOf(gist, account.id)).slice(0, GISTS) : []
  if (gists.some(gist => shows(gist, code))) return true
  for (const gist of gists.filter(isSmall)) {
    const whole = await ask(`/gists/${gist.id}`)
    if (isPublicGistOf(whole, account.id) && shows(whole, code)) return true
  }
  return false
}

function isPublicGistOf(gist: unknown, ownerId: number): gist is JsonObject & { id: string } {
  if (!isObject(gist) || typeof gist.id !== 'string' || !/^[\da-f]{1,64}$/i.test(gist.id)) return false
  return gist.public === true && isObject(gist.owner) && gist.owner.id === ownerId
}

function isSmall({ files }: JsonObject): boolean {
  const sizes = isObject(files) ? Object.values(files).map(file => (isObject(file) ? Number(file.size) : 0)) : []
  return sizes.reduce((sum, size) => sum + size, 0) <= LARGEST_GIST
}

function shows({ description, files }: JsonObject, code: string): boolean {
  if (hasToken(description, code)) return true
  return isObject(files) && Object.values(files).some(file => isObject(file) && showsFile(file, code))
}

const showsFile = (file: JsonObject, code: string) => hasToken(file.filename, code) || hasToken(file.content, code)

interface CodeProofDeps {
  ask: Ask
  links: Links
  clock: Clock
  limit: AttemptLimit
  /** Where profiles are. */
  githubUrl: string
}

interface Attempt {
  readonly githubId: number
  readonly login: string
  readonly code: string
  /** By the wall clock: GitHub is told. */
  readonly startedAt: number
  /** Monotonic milliseconds. */
  readonly expiresAt: number
  off: boolean
}

const LIFETIME_MINUTES = 15
const LIFETIME = LIFETIME_MINUTES * MINUTE
/** How long a code is remembered as expired, so that somebody who comes late is told so. Milliseconds. */
const MEMORY = DAY

/**
 * Proof by a one-time code that only the account's owner can write into its bio or a public gist. The account is held
 * by its id from the start, so that a name that changes hands in between proves nothing.
 */
export class CodeProof implements ProofMethod {
  readonly #attempts = new Map<string, Attempt>()
  readonly #ask: Ask
  readonly #links: Links
  readonly #clock: Clock
  readonly #limit: AttemptLimit
  readonly #githubUrl: string

  constructor({ ask, links, clock, limit, githubUrl }: CodeProofDeps) {
    this.#ask = ask
    this.#links = links
    this.#clock = clock
    this.#limit = limit
    this.#githubUrl = githubUrl
  }

  async start(userId: string, login: string): Promise<Proof> {
    const found = await this.#find(`/users/${encodeURIComponent(login)}`)
    if (found === null) throw new GithubProblem('no such account', { login })
    const now = this.#clock.monotonic()
    this.#sweep(now)
    const { id: githubId, login: name } = found.account
    const code = `exoix-link-${randomBytes(12).toString('hex')}`
    const times = { startedAt: this.#clock.now(), expiresAt: now + LIFETIME }
    this.#attempts.set(userId, { githubId, login: name, code, ...times, off: false })
    return { kind: 'code', login: name, code, page: `${this.#githubUrl}/${name}`, minutes: LIFETIME_MINUTES }
  }

  async verify(userId: string): Promise<string> {
    const attempt = this.#current(userId)
    this.#limit.take(userId)
    const { code, githubId, startedAt } = attempt
    const found = await this.#find(`/user/${githubId}`)
    if (found === null) throw new GithubProblem('no such account', { login: attempt.login })
    const { user, account } = found
    const shown = hasToken(user.bio, code) || (await findInGists(this.#ask, account, code, startedAt))
    if (!shown) throw new GithubProblem('code not found', { login: account.login, code })
    const login = await keepProved({ links: this.#links, clock: this.#clock }, userId, account, () => attempt.off)
    if (this.#attempts.get(userId) === attempt) this.#attempts.delete(userId)
    return login
  }

  cancel(userId: string): void {
    const attempt = this.#attempts.get(userId)
    if (attempt !== undefined) attempt.off = true
    this.#attempts.delete(userId)
  }

  #sweep(now: number): void {
    for (const [userId, { expiresAt }] of this.#attempts) if (expiresAt + MEMORY < now) this.#attempts.delete(userId)
  }

  async #find(path: string): Promise<{ user: JsonObject; account: Described } | null> {
    const user = await this.#ask(path)
    if (user === null) return null
    const account = isObject(user) ? readAccount(user) : null
    if (account === null) throw new GithubProblem('outage')
    return { user: user as JsonObject, account }
  }

  #current(userId: string): Attempt {
    const attempt = this.#attempts.get(userId)
    if (attempt === undefined) throw new GithubProblem('nothing asked')
    if (attempt.expiresAt <= this.#clock.monotonic()) throw new GithubProblem('expired')
    return attempt
  }
}
