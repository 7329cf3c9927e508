const SECOND = 1000
const SECONDS_PER_MINUTE = 60

/** A time as players show it: `3:07`, `1:02:03`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND))
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / SECONDS_PER_MINUTE) % 60, seconds % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':')
}

/** How long something has been going on. */
export function duration(milliseconds: number): string {
  const span = spanOf(milliseconds)
  return span === undefined ? 'just now' : `for ${span}`
}

/** How long ago something was. */
export function ago(milliseconds: number): string {
  const span = spanOf(milliseconds)
  return span === undefined ? 'just now' : `${span} ago`
}

/** To the minute: a card is looked at for longer than a second stays true. Undefined: less than that. */
function spanOf(milliseconds: number): string | undefined {
  const minutes = Math.floor(milliseconds / SECOND / SECONDS_PER_MINUTE)
  if (minutes < 1) return undefined
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return hours > 0 && days < 10 ? `${days} d ${hours} h` : `${days} d`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
