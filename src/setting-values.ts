import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'

// How the text of a setting is read. Each throws with "must be …" where it is wrong, and never repeats it.

/** For settings that have no default. */
export const optional = (parse: (text: string) => string) => parse as (text: string) => string | undefined

export function integer(min: number, max: number) {
  return (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new Error(`must be a whole number from ${min} to ${max}`)
    return number
  }
}

export function workers(value: string): number {
  if (value.toLowerCase() === 'auto') return Math.max(1, availableParallelism() - 1)
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > MOST_WORKERS)
    throw new Error(`must be auto or a whole number from 1 to ${MOST_WORKERS}`)
  return number
}

/** More than any machine needs. */
const MOST_WORKERS = 64

export function text(max: number) {
  return (value: string): string => {
    if (value.length > max) throw new Error(`must be at most ${max} characters long`)
    return value
  }
}

export function matching(pattern: RegExp, description: string) {
  return (value: string): string => {
    if (!pattern.test(value)) throw new Error(`must be ${description}`)
    return value
  }
}

export function oneOf<const T extends string>(choices: readonly T[]) {
  return (value: string): T => {
    const choice = choices.find(candidate => candidate === value.toLowerCase())
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`)
    return choice
  }
}

export function httpUrl(value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error('must be a URL that starts with http:// or https://')
  if (url.username !== '' || url.password !== '') throw new Error('must not contain a user name or password')
  return value.replace(/\/+$/, '')
}

/** It may hold a password: what is wrong with it is said without it. */
export function redisUrl(value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    throw new Error('must be an address that starts with redis:// or rediss://')
  return value
}

export function secret(value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value)) throw new Error('must be printable characters without blanks')
  return value
}

/** People paste `Bot <token>`, which is forgiven. Only visibly impossible tokens are refused. */
export function botToken(value: string): string {
  return secret(value.replace(/^Bot\s+/i, ''))
}

/** As many as a page can offer. */
const MOST_FEATURED = 24

export function userIds(value: string): readonly string[] {
  const ids = new Set(listed(value))
  const wrong = [...ids].some(id => !/^\d{15,20}$/.test(id)) || ids.size > MOST_FEATURED
  if (wrong) throw new Error(`must be at most ${MOST_FEATURED} user ids (15 to 20 digits), separated by commas`)
  return [...ids]
}

const listed = (value: string) =>
  value
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

export function addresses(value: string): readonly string[] {
  const parts = listed(value)
  const wrong = parts.some(part => !isAddressOrNetwork(part))
  if (wrong) throw new Error('must be IP addresses or networks such as 10.0.0.0/8, separated by commas')
  return parts
}

function isAddressOrNetwork(part: string): boolean {
  const [address = '', bits, ...rest] = part.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
