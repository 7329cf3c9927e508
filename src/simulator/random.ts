/** A small seeded generator (mulberry32): the same seed always builds the same world. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** An integer from `from` to `to`, both included. */
  int(from: number, to: number): number
  /** True in `probability` of the cases. */
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string
  /** A base-62 text, as Spotify track ids and interaction tokens are. */
  base62(length: number): string
}

const HEX = '0123456789abcdef'
const BASE62 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const text = (alphabet: string, length: number) => {
    let out = ''
    for (let index = 0; index < length; index++) out += alphabet[Math.floor(next() * alphabet.length)]
    return out
  }
  return {
    next,
    int: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: probability => next() < probability,
    pick: list => {
      if (list.length === 0) throw new RangeError('cannot pick from an empty list')
      return list[Math.floor(next() * list.length)] as (typeof list)[number]
    },
    hex: length => text(HEX, length),
    base62: length => text(BASE62, length),
  }
}

const DISCORD_EPOCH_MS = 1420070400000

/** A source of snowflakes that grow by at least one millisecond each, so that they spread over shards and sort by age. */
export function createSnowflakes(startMs: number): (atMs?: number) => string {
  let last = startMs - 1
  return atMs => {
    last = Math.max(last + 1, atMs ?? 0)
    return (BigInt(last - DISCORD_EPOCH_MS) << 22n).toString()
  }
}

/** Milliseconds since Discord's epoch, the part of a guild id that decides its shard (Gateway docs, "Sharding"). */
export function shardKey(snowflake: string): number {
  return Number(BigInt(snowflake) >> 22n)
}
