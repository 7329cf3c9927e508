import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Github, GithubSnapshot } from '../domain/github.ts'
import type { Snapshot } from '../domain/presence-store.ts'
import { buildHarmy } from '../harmy.ts'
import type { Bytes } from './compression.ts'
import { failure } from './envelope.ts'
import { HARMY_EXAMPLE } from './harmy-schema.ts'
import { createMonitored, type MonitoredDeps, PUBLIC } from './monitored.ts'
import { operation } from './operation.ts'
import { answer, type Representation, represent } from './representation.ts'
import { IF_NONE_MATCH, USER_ID } from './schema.ts'

export interface HarmyDeps extends MonitoredDeps {
  readonly github: Pick<Github, 'account'>
  /** The guild whose nicknames come first. */
  readonly homeGuild: string | undefined
}

/** What was made for one version of a presence together with one version of an account. */
interface Made {
  readonly account: GithubSnapshot | null
  readonly representation: Representation
}

const ANSWERS = [
  {
    description: 'Presence, pairs and GitHub account, without an envelope',
    content: { 'application/json': Type.Ref('#/components/schemas/Harmy') },
    example: HARMY_EXAMPLE,
  },
  { status: 304, description: 'Nothing has changed since the given ETag' },
]

const READ = operation({
  tag: 'Presence',
  summary: 'What harmy shows of a person',
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [userNotMonitored(), starting()],
})

const READ_OWN = operation({
  tag: 'Presence',
  summary: "What harmy shows of the key's owner",
  parameters: [IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

/** harmy's API: presence, pairs and GitHub account in one body. Memory only, made once per change of either. */
export function harmyRoutes(deps: HarmyDeps) {
  const { presences, github, homeGuild } = deps
  const { unknown, own } = createMonitored(deps, snapshot => build(snapshot, github.account(snapshot.id)))
  const shared = new WeakMap<Snapshot, Made>()

  function person(request: Request, id: string): Response | Promise<Response> {
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(unknown(id))
    const account = github.account(id)
    const made = shared.get(snapshot)
    if (made !== undefined && made.account === account) return answer(made.representation, request)
    const body = build(snapshot, account)
    const representation = represent(() => body, PUBLIC)
    shared.set(snapshot, { account, representation })
    return answer(representation, request)
  }

  function build({ id }: Snapshot, account: GithubSnapshot | null): Bytes {
    const person = presences.person(id)
    if (person === undefined) throw new Error('somebody who has a snapshot is monitored')
    return Buffer.from(buildHarmy({ person, kv: presences.kv(id), github: account, homeGuild }))
  }

  return (
    new Elysia({ name: 'harmy' })
      // Elysia reads a handler's text and awaits one that begins by calling something. This one answers at once, and
      // awaiting that costs more than making it: so the choice stands here, in front of the calls.
      .get('/user/:id', ({ request, params: { id } }) => (id === '@me' ? own(request) : person(request, id)), READ)
      .get('/user/@me', ({ request }) => own(request), READ_OWN)
  )
}
