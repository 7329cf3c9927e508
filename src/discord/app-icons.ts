import type { AppIconStore, AppIcons } from '../domain/app-icons.ts'
import { isHash } from '../domain/discord-cdn.ts'
import { upstreamUnavailable } from '../domain/errors.ts'
import { isObject } from '../domain/presence.ts'
import { type Clock, DAY, MINUTE, restOf, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { Lru } from '../lib/lru.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createSendBudget } from '../lib/token-bucket.ts'
import type { DiscordRest } from './rest.ts'

/** An icon is believed for so long, that there is none or no answer for so long. Milliseconds. */
const FRESH = DAY
const AGAIN = MINUTE
/** Look-ups at once, and milliseconds between those that follow. */
const BURST = 20
const INTERVAL = SECOND / 2
/** Applications that are remembered. */
const MOST = 10_000

interface Known {
  /** Undefined when Discord did not tell. */
  readonly icon: string | null | undefined
  /** Monotonic milliseconds. */
  readonly until: number
}

interface AppIconDeps {
  readonly rest: Pick<DiscordRest, 'look'>
  readonly store: AppIconStore
  readonly metrics: Metrics
  readonly log: Log
  readonly clock?: Clock
}

/** Looks icons up in what Discord tells everybody of an application, once however many ask, within a budget of its own. */
export class DiscordAppIcons implements AppIcons {
  readonly #deps: AppIconDeps
  readonly #clock: Clock
  readonly #known = new Lru<Known>(MOST, () => 1)
  readonly #underWay = new Map<string, Promise<string | null>>()
  readonly #budget = createSendBudget(BURST, INTERVAL)
  readonly #count: (outcome: Outcome) => void

  constructor(deps: AppIconDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    for (const { applicationId, icon, checkedAt } of deps.store.loadIcons())
      this.#known.set(applicationId, { icon, until: this.#clock.monotonic() + restOf(FRESH, this.#clock, checkedAt) })
    this.#count = countOutcomes(deps.metrics)
  }

  async icon(applicationId: string): Promise<string | null> {
    const known = this.#known.get(applicationId)
    const now = this.#clock.monotonic()
    if (known !== undefined && now < known.until) return told(known, now)
    const underWay = this.#underWay.get(applicationId)
    if (underWay !== undefined) return underWay
    const wait = this.#budget.freeAt() - now
    // What is known to have been right is better than nothing.
    if (wait > 0) return known?.icon ?? refuse(wait)
    this.#budget.spend(now)
    const asking = this.#ask(applicationId, known?.icon).finally(() => this.#underWay.delete(applicationId))
    this.#underWay.set(applicationId, asking)
    return asking
  }

  async #ask(applicationId: string, old: string | null | undefined): Promise<string | null> {
    const icon = await this.#lookUp(applicationId)
    const now = this.#clock.monotonic()
    this.#count(icon === undefined ? 'failed' : icon === null ? 'none' : 'found')
    if (typeof icon === 'string') this.#keep(applicationId, icon)
    const known = { icon: icon === undefined ? old : icon, until: now + (typeof icon === 'string' ? FRESH : AGAIN) }
    this.#known.set(applicationId, known)
    return told(known, now)
  }

  /** Undefined when Discord does not tell. Source: Discord's own clients; who asks needs no token. */
  async #lookUp(applicationId: string): Promise<string | null | undefined> {
    try {
      const { status, body } = await this.#deps.rest.look(`/applications/${applicationId}/rpc`)
      if (status === 404) return null
      if (status !== 200 || !isObject(body) || body.id !== applicationId) return undefined
      return isHash(body.icon) ? body.icon : null
    } catch (error) {
      this.#deps.log.debug('Discord did not tell of an application', { applicationId, error: describeError(error) })
      return undefined
    }
  }

  #keep(applicationId: string, icon: string): void {
    const { store, log } = this.#deps
    store.storeIcon({ applicationId, icon, checkedAt: Date.now() }).catch(error => {
      log.debug('an icon could not be stored', { error: describeError(error) })
    })
  }
}

type Outcome = 'found' | 'none' | 'failed'

function countOutcomes(metrics: Metrics): (outcome: Outcome) => void {
  const help = 'Icons of applications asked for at Discord, by what came of it'
  const counter = (outcome: Outcome) => metrics.counter('app_icon_lookups_total', help, { outcome })
  const counters = { found: counter('found'), none: counter('none'), failed: counter('failed') }
  return outcome => counters[outcome].inc()
}

const told = ({ icon, until }: Known, now: number) => (icon === undefined ? refuse(until - now) : icon)

function refuse(ms: number): never {
  throw upstreamUnavailable(ms / SECOND)
}
