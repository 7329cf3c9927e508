import type { API } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import { type Finding, HINTS, inviteUrl, note, ok, wrong } from '../domain/operator.ts'
import { isObject } from '../domain/presence.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { readGatewayInfo } from './identify.ts'
import { readSwitches, type Switch } from './intents.ts'
import { askApplication, DiscordRest } from './rest.ts'
import { isTokenRefused } from './retry.ts'
import { GatewaySocket, type Route } from './socket.ts'

/** As many servers as Discord tells of at once; who is in more knows how to be invited. */
const MOST = 200
/** For everything together: whoever runs a check waits for it. Milliseconds. */
const LONGEST = 6 * SECOND

interface Surroundings {
  readonly clock?: Clock
  /** The proxy on the way to a `ws:` or `wss:` address, if any. */
  readonly proxyFor?: ProxyFor
}

type ProxyFor = (address: string) => string | undefined

/** Asks Discord whose the token is, which of its switches are on, in how many servers it is, and whether its gateway says hello. */
export async function examineDiscord(
  config: Config,
  log: Log,
  { clock = systemClock, proxyFor = () => undefined }: Surroundings = {},
): Promise<readonly Finding[]> {
  if (config.botToken === undefined) return [wrong('token', HINTS.tokenMissing)]
  const rest = new DiscordRest(config, log, { clock })
  const late = new AbortController()
  const cancel = clock.after(LONGEST, () => late.abort(new Error('no answer in time')))
  try {
    const { id, name, flags } = await askApplication(rest.api, late.signal)
    const [servers, gateway] = await Promise.all([
      rest.api.users.getGuilds({ limit: MOST }, { signal: late.signal }),
      examineGateway(rest.api, { clock, proxyFor }, late.signal),
    ])
    return [
      ok('token', `it is that of ${name} (application ${id})`),
      ...readSwitches(flags).map(intent),
      gateway,
      invited(id, servers.length),
    ]
  } catch (error) {
    if (isTokenRefused(error)) return [wrong('token', HINTS.tokenRefused)]
    const why = late.signal.aborted ? late.signal.reason : error
    return [wrong('Discord', `${config.discordApiUrl} does not answer as it should (${describeError(why)}).`)]
  } finally {
    cancel()
    void rest.stop()
  }
}

/** Dials as a shard does, until the gateway says hello: a proxy or a firewall may be in the way of nothing but that. */
async function examineGateway(
  api: API,
  { clock, proxyFor }: Required<Surroundings>,
  signal: AbortSignal,
): Promise<Finding> {
  const topic = 'gateway'
  const { url } = readGatewayInfo(await api.gateway.getBot({ signal }), clock)
  const { host } = new URL(url)
  const address = `${url.replace(/\/$/, '')}/?v=10&encoding=json`
  const problem = await dial({ address, proxy: proxyFor(address) }, clock, signal)
  return problem === undefined ? ok(topic, `${host} says hello`) : wrong(topic, HINTS.gatewayUnreachable(host, problem))
}

/** Resolves with why there was no hello, or undefined. */
async function dial(route: Route, clock: Clock, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const events = {
    open() {},
    message: (data: unknown) => resolve(isHello(data) ? undefined : 'what it says is not what Discord says'),
    close: (code: number, problem: string) => resolve(problem || `close code ${code}`),
  }
  const socket = new GatewaySocket(route, events, { handshakeMs: LONGEST, closeMs: SECOND }, clock)
  const giveUp = () => resolve('no answer in time')
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', giveUp)
    socket.abandon()
  }
}

/** HELLO (docs: Gateway, "Hello Event"). */
function isHello(data: unknown): boolean {
  try {
    const payload: unknown = JSON.parse(String(data))
    return isObject(payload) && payload.op === 10
  } catch {
    return false
  }
}

function intent({ name, on, required }: Switch): Finding {
  if (on) return ok(name, 'on')
  return required ? wrong(name, HINTS.intentsOff([name])) : note(name, HINTS.messageContentOff)
}

function invited(id: string, servers: number): Finding {
  if (servers === 0) return note('servers', HINTS.noServers(id))
  return ok('servers', `${servers}${servers < MOST ? '' : ' or more'}; another is added with ${inviteUrl(id)}`)
}
