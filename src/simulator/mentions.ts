import type { Json } from './types.ts'

/** Whom a message notifies. */
export interface Pings {
  users: string[]
  roles: string[]
  everyone: boolean
}

/** Ids of the users a text mentions, each once, in order. */
export function mentionedUsers(content: string): string[] {
  return unique(content.matchAll(/<@!?(\d{1,20})>/g))
}

function mentionedRoles(content: string): string[] {
  return unique(content.matchAll(/<@&(\d{1,20})>/g))
}

function unique(matches: Iterable<RegExpMatchArray>): string[] {
  return [...new Set([...matches].map(match => match[1] ?? ''))]
}

/**
 * Whom a message of the bot pings: what its text mentions, as far as `allowed_mentions` lets it, and the author of the
 * message it replies to (docs: Resources, Message, "Allowed Mentions Object"). Without the field everything pings.
 */
export function findPings(body: Json, repliedUserId: string | null): Pings {
  const content = typeof body.content === 'string' ? body.content : ''
  const allowed = body.allowed_mentions as {
    parse?: string[]
    users?: string[]
    roles?: string[]
    replied_user?: boolean
  }
  const users = mentionedUsers(content).filter(id => allows(allowed, 'users', id))
  const roles = mentionedRoles(content).filter(id => allows(allowed, 'roles', id))
  const pingsReplied = repliedUserId !== null && (allowed ? allowed.replied_user === true : true)
  if (pingsReplied && !users.includes(repliedUserId)) users.push(repliedUserId)
  const everyone = /@(everyone|here)\b/.test(content) && (allowed?.parse?.includes('everyone') ?? !allowed)
  return { users, roles, everyone }
}

function allows(
  allowed: { parse?: string[]; users?: string[]; roles?: string[] } | undefined,
  kind: 'users' | 'roles',
  id: string,
) {
  if (!allowed) return true
  return (allowed.parse?.includes(kind) ?? false) || (allowed[kind]?.includes(id) ?? false)
}
