import type { Random } from '../../../../src/simulator/random.ts'

/** Makes hostile values out of good ones; the same seed makes the same ones. */
export interface Mutator {
  /** A copy with one to three places changed: replaced, left out, added, swapped. */
  value(base: unknown): unknown
  /** The text with characters changed, cut out, doubled, or with parts of itself moved about. */
  text(base: string): string
  bytes(base: Uint8Array): Uint8Array
  /** Anything at all. */
  anything(): unknown
}

const LONG = 'x'.repeat(70_000)
const KEYS = [
  'id',
  'user',
  'd',
  'op',
  't',
  's',
  'status',
  'activities',
  '__proto__',
  'constructor',
  'toString',
  '',
  '0',
]
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '\\u0000',
  '\\ud800',
  '\ud800',
  '\u0000',
  '\n',
  '%',
  '/',
  '..',
  '�',
  '😀',
  '9'.repeat(30),
]

export function createMutator(random: Random): Mutator {
  const scalars: readonly (() => unknown)[] = [
    () => null,
    () => random.chance(0.5),
    () => random.pick([0, -1, 1, 2, 3, 4, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e21]),
    () =>
      random.pick(['', ' ', 'online', 'spotify:1', '__proto__', '\u0000', '\ud800', '😀', '-1', '1e5', '1'.repeat(21)]),
    () => random.hex(random.int(0, 40)),
    () => String(random.int(0, 60)),
    () => (random.chance(0.02) ? LONG : 'x'),
  ]

  function anything(depth = 3): unknown {
    if (depth === 0 || random.chance(0.6)) return random.pick(scalars)()
    if (random.chance(0.01)) return nested(random.int(1, 2000))
    const length = random.int(0, 4)
    if (random.chance(0.5)) return Array.from({ length }, () => anything(depth - 1))
    return Object.fromEntries(Array.from({ length }, () => [random.pick(KEYS), anything(depth - 1)]))
  }

  /** Walks down to a random place, copying what it passes. */
  function change(base: unknown): unknown {
    if (typeof base !== 'object' || base === null || random.chance(0.15)) return anything()
    if (Array.isArray(base)) return changeArray(base)
    const entries = Object.entries(base)
    if (entries.length === 0 || random.chance(0.1)) return own([...entries, [random.pick(KEYS), anything()]])
    const at = random.int(0, entries.length - 1)
    if (random.chance(0.15)) return own(entries.toSpliced(at, 1))
    const [key, value] = entries[at] as [string, unknown]
    return own(entries.with(at, [key, change(value)]))
  }

  function changeArray(base: readonly unknown[]): unknown {
    if (base.length === 0 || random.chance(0.2)) return [...base, anything()]
    const at = random.int(0, base.length - 1)
    if (random.chance(0.15)) return base.toSpliced(at, 1)
    if (random.chance(0.1)) return [...base, base[at]]
    return base.with(at, change(base[at]))
  }

  function value(base: unknown): unknown {
    let changed = base
    for (let times = random.int(1, 3); times > 0; times--) changed = change(changed)
    return changed
  }

  function text(base: string): string {
    let changed = base
    for (let times = random.int(1, 4); times > 0; times--) {
      const at = random.int(0, changed.length)
      const until = random.int(at, Math.min(changed.length, at + 20))
      const middle = random.pick([
        () => '',
        () => random.pick(PIECES),
        () => changed.slice(at, until).repeat(2),
        () => String.fromCharCode(random.int(0, 0xffff)),
        () => changed.slice(0, random.int(0, 20)),
      ])()
      changed = changed.slice(0, at) + middle + changed.slice(until)
    }
    return changed
  }

  function bytes(base: Uint8Array): Uint8Array {
    const changed = [...base]
    for (let times = random.int(1, 4); times > 0; times--) {
      const at = random.int(0, changed.length)
      changed.splice(at, random.int(0, 2), ...Array.from({ length: random.int(0, 3) }, () => random.int(0, 255)))
    }
    return Uint8Array.from(changed)
  }

  return { value, text, bytes, anything }
}

/** An object with exactly these keys of its own, `__proto__` among them. */
function own(entries: readonly (readonly [string, unknown])[]): object {
  const made = {}
  for (const [key, value] of entries)
    Object.defineProperty(made, key, { value, enumerable: true, writable: true, configurable: true })
  return made
}

/** A list in a list in a list. */
function nested(depth: number): unknown {
  let made: unknown = []
  for (let level = 0; level < depth; level++) made = [made]
  return made
}
