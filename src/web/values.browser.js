// Reads what may be of any type as the type it should have.

export const object = value => (typeof value === 'object' && value !== null ? value : {})
export const list = value => (Array.isArray(value) ? value : [])
export const whole = value => (Number.isInteger(value) ? value : -1)
export const time = value => (Number.isFinite(value) && Math.abs(value) < 8e15 ? value : undefined)

/** Text of a bearable length, or none. */
export function text(value, most = 128) {
  if (typeof value !== 'string') return ''
  return value.length > most ? `${value.slice(0, most)}…` : value
}

/** Whether this is text of the given form. Nothing else is even looked at: some of it cannot be turned into text. */
export const fits = (pattern, value) => typeof value === 'string' && pattern.test(value)
