import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import { failure, json, type Route } from './answers.ts'

/** Gateway addresses, the application itself and users (docs: Gateway; Resources, Application and User). */
export function applicationRoutes(world: World, account: Account, identifyIntervalMs: number): Route[] {
  return [
    { method: 'GET', path: /^\/gateway$/, open: true, answer: () => json({ url: account.gatewayUrl }) },
    { method: 'GET', path: /^\/gateway\/bot$/, answer: () => json(gatewayBot(account, identifyIntervalMs)) },
    { method: 'GET', path: /^\/applications\/@me$/, answer: () => json(application(world, account)) },
    {
      method: 'GET',
      path: /^\/applications\/(?<applicationId>\d+)\/rpc$/,
      open: true,
      answer: ({ params }) => publicApplication(world, params.applicationId ?? ''),
    },
    { method: 'GET', path: /^\/oauth2\/applications\/@me$/, answer: () => json(application(world, account)) },
    { method: 'GET', path: /^\/users\/@me$/, answer: () => json(botAccount(world)) },
    {
      method: 'GET',
      path: /^\/users\/@me\/guilds$/,
      answer: ({ query }) => json(ownGuilds(world, query)),
    },
    {
      method: 'GET',
      path: /^\/users\/(?<userId>\d+)$/,
      answer: ({ params }) => {
        const user = world.user(params.userId ?? '')
        // What the gateway leaves out is always there.
        return user ? json({ banner: null, accent_color: null, ...user }) : failure(404, 10013, 'Unknown User')
      },
    },
  ]
}

/** What anybody may know of an application; Discord's own clients ask for it before a game may tell what is played. */
function publicApplication(world: World, applicationId: string): Response {
  const application = world.applications.get(applicationId)
  if (application === undefined) return failure(404, 10002, 'Unknown Application')
  return json({
    ...application,
    description: '',
    summary: '',
    type: null,
    hook: true,
    verify_key: '0'.repeat(64),
    flags: 0,
  })
}

function gatewayBot(account: Account, identifyIntervalMs: number) {
  const limit = {
    total: account.sessionStartTotal,
    remaining: account.sessionStartRemaining,
    reset_after: 24 * 3600 * 1000 - identifyIntervalMs,
    max_concurrency: account.maxConcurrency,
  }
  return { url: account.gatewayUrl, shards: account.recommendedShards, session_start_limit: limit }
}

/** Partial guilds, by id, 200 at most at once (docs: Resources, User, "Get Current User Guilds"). */
function ownGuilds(world: World, query: URLSearchParams) {
  const limit = Math.min(200, Number(query.get('limit') ?? 200))
  const after = BigInt(query.get('after') ?? 0)
  const ids = [...world.guilds.keys()].filter(id => BigInt(id) > after).sort((a, b) => Number(BigInt(a) - BigInt(b)))
  return ids
    .slice(0, limit)
    .map(id => ({ id, name: `server ${id}`, icon: null, owner: false, permissions: '0', features: [] }))
}

function botAccount(world: World) {
  return { ...world.bot, verified: true, mfa_enabled: true, email: null, flags: 0, locale: 'en-US' }
}

function application(world: World, account: Account) {
  return {
    id: account.applicationId,
    name: world.bot.username,
    icon: null,
    description: '',
    bot_public: true,
    bot_require_code_grant: false,
    bot: world.bot,
    flags: account.applicationFlags,
    approximate_guild_count: world.guilds.size,
    integration_types_config: { '0': {}, '1': {} },
    verify_key: '0'.repeat(64),
    owner: {
      id: '100000000000000001',
      username: 'simulated_owner',
      discriminator: '0',
      global_name: null,
      avatar: null,
    },
    team: null,
  }
}
