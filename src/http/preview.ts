import { CUSTOM_STATUS, isDoing, readActivityText, verbOf } from '../domain/activity.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Person } from '../domain/presences.ts'
import { clean } from '../domain/text.ts'
import { STATUS_WORDS } from '../domain/words.ts'

/** Who somebody is and what they do, in a line each: for previews of links to their page. */
export function describePerson({ user, presence }: Person): { name: string; doing: string } {
  const { global_name, username } = JSON.parse(user) as JsonObject
  const activities = (JSON.parse(presence.activities) as unknown[]).filter(isObject)
  const mood = clean(activities.find(({ type }) => type === CUSTOM_STATUS)?.state)
  const first = activities.find(isDoing)
  const parts = [STATUS_WORDS[presence.status], mood, first === undefined ? '' : describe(first)]
  return { name: clean(global_name) || clean(username) || 'Somebody', doing: parts.filter(Boolean).join(' · ') }
}

/** `Playing Chess – Ranked`, `Listening to Spotify: Night Train – The Signal Boxes`. */
function describe(activity: JsonObject): string {
  const { label, title, lines } = readActivityText(activity)
  const isVerb = label === verbOf(activity.type)
  return [`${label}${isVerb ? ' ' : ': '}${title}`, ...lines].join(' – ')
}
