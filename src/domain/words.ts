import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { Status } from './presence.ts'

// What cards, pages and the element say, in the same words. Runs in browsers too: nothing of Bun's may be used here.

export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  online: 'Online',
  idle: 'Idle',
  dnd: 'Do not disturb',
  offline: 'Offline',
}

/** A time as players show it: `3:07`, `1:02:03`; from a day on `1 d 2 h`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND))
  const hours = Math.floor(seconds / 3600)
  if (hours >= 24) return inDays(hours)
  const parts = [hours, Math.floor(seconds / 60) % 60, seconds % 60].slice(hours === 0 ? 1 : 0)
  return parts.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':')
}

/** A length of time to the minute: `5 min`, `2 h 5 min`, `3 d 4 h`. Undefined: less than a minute. */
export function span(milliseconds: number): string | undefined {
  const minutes = Math.floor(milliseconds / MINUTE)
  if (!(minutes >= 1)) return undefined
  const hours = Math.floor(milliseconds / HOUR)
  if (hours >= 24) return inDays(hours)
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}

/** Ten days and more are not told to the hour. */
function inDays(hours: number): string {
  const days = Math.floor(hours / 24)
  return hours % 24 > 0 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`
}

/** How long ago something was: `5 min ago`. */
export function ago(milliseconds: number): string {
  const length = span(milliseconds)
  return length === undefined ? 'just now' : `${length} ago`
}

/** For how long something has been going on: `for 5 min`. */
export function lasting(milliseconds: number): string {
  const length = span(milliseconds)
  return length === undefined ? 'just now' : `for ${length}`
}

/** How much of something is left: `5 min left`; nothing once it is over. */
export function remaining(milliseconds: number): string {
  if (!(milliseconds > 0)) return ''
  return `${span(milliseconds) ?? 'under a minute'} left`
}
