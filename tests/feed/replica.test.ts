import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Change } from '../../src/domain/presences.ts'
import { Journal } from '../../src/feed/journal.ts'
import type { Frame, Slice } from '../../src/feed/record.ts'
import { Replica } from '../../src/feed/replica.ts'

const PEOPLE = Array.from({ length: 5 }, (_, index) => String(100_000_000_000_000_000n + BigInt(index)))
const ANN = PEOPLE[0] as string

/** A truth, a copy, and all that is on its way from one to the other. */
class Bench {
  readonly store = new PresenceStore()
  journal = new Journal(this.store)
  readonly replica = new Replica()
  readonly told: string[] = []
  frames: Frame[] = []
  slices: { readonly round: number; readonly slice: Slice; readonly last: boolean }[] = []
  #version = 0
  #round = 0
  #stop = this.journal.onFrame(frame => void this.frames.push(frame))

  constructor() {
    this.replica.onChange(change => void this.told.push(this.#describe(change)))
    this.synchronize()
  }

  /** What can be read in the moment in which a change is told. */
  #describe({ id, kind }: Change): string {
    const json = this.replica.snapshot(id)?.json
    return `${id} ${kind} ${json === undefined ? '-' : JSON.parse(json).kv.v}`
  }

  join = (id: string) => void this.store.putMember('1', { user: { id, username: 'x' } }, { status: 'online' })
  leave = (id: string) => this.store.removeMember('1', id)
  write = (id: string) => this.store.setKv(id, new Map([['v', String(++this.#version)]]))
  hide = (id: string) => this.store.setHidden(id, !this.store.isHidden(id))

  /** The owner of the truth starts anew: what was not sent is lost. */
  restart(): void {
    this.#stop()
    const { term } = this.journal
    this.journal.stop()
    this.journal = new Journal(this.store, { term: term + 1 })
    this.#stop = this.journal.onFrame(frame => void this.frames.push(frame))
  }

  synchronize(): void {
    this.journal.flush()
    this.replica.begin(this.replica.position.term === 0 ? this.journal : this.replica.position)
    this.#round++
    this.slices = []
  }

  /** Two people at a time, as they are now. */
  answer(): void {
    const ids = [...this.store.ids()]
    for (let at = 0; at === 0 || at < ids.length; at += 2) {
      const slice = this.journal.slice(ids.slice(at, at + 2))
      this.slices.push({ round: this.#round, slice, last: at + 2 >= ids.length })
    }
  }

  deliverFrame(): void {
    const frame = this.frames.shift()
    if (frame !== undefined && !this.replica.apply(frame)) this.synchronize()
  }

  deliverSlice(): void {
    const reply = this.slices.shift()
    if (reply === undefined || reply.round !== this.#round) return
    this.replica.take(reply.slice)
    if (reply.last) this.replica.complete()
  }

  /** Everything arrives, and what was lost on the way is noticed. */
  settle(): void {
    this.journal.beat()
    this.journal.flush()
    for (let turn = 0; turn < 3; turn++) {
      while (this.frames.length > 0) this.deliverFrame()
      this.synchronize()
      this.answer()
      while (this.slices.length > 0) this.deliverSlice()
    }
  }

  [Symbol.dispose](): void {
    this.journal.stop()
  }
}

type Step = readonly [name: string, id: string]
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    'join',
    'write',
    'write',
    'leave',
    'hide',
    'flush',
    'frame',
    'frame',
    'lose',
    'ask',
    'slice',
    'slice',
    'restart',
  ),
  fc.constantFrom(...PEOPLE),
)

const PERFORM: Readonly<Record<string, (bench: Bench, id: string) => void>> = {
  join: (bench, id) => bench.join(id),
  write: (bench, id) => bench.write(id),
  leave: (bench, id) => bench.leave(id),
  hide: (bench, id) => bench.hide(id),
  flush: bench => bench.journal.flush(),
  frame: bench => bench.deliverFrame(),
  lose: bench => void bench.frames.shift(),
  ask: bench => bench.answer(),
  slice: bench => bench.deliverSlice(),
  restart: bench => bench.restart(),
}

const perform = (bench: Bench, [name, id]: Step) => PERFORM[name]?.(bench, id)

/** Whether no version is told twice, and none after a newer one. Who comes back may be seen as they were. */
function isInOrder(told: readonly string[], id: string): boolean {
  let last = 0
  return told.every(line => {
    const [who, kind, version] = line.split(' ')
    if (who !== id || kind === 'left') return true
    const before = last
    last = Number(version) || 0
    return kind === 'joined' ? last >= before : last > before
  })
}

describe('a copy', () => {
  test('ends as the truth, whatever was lost, late or begun anew on the way; no version comes twice or after a newer one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), steps => {
        using bench = new Bench()
        for (const one of steps) perform(bench, one)
        bench.settle()
        const { store, replica, told } = bench
        expect([...replica.ids()].sort()).toEqual([...store.ids()].sort())
        for (const id of store.ids()) expect(replica.snapshot(id)?.json).toBe(store.snapshot(id)?.json as string)
        for (const id of PEOPLE) expect([id, isInOrder(told, id), told]).toEqual([id, true, told])
      }),
      {
        numRuns: 2_000,
        // Somebody hides and shows again, or leaves and comes back, and only the second half is told.
        examples: [
          [['join', 'flush', 'hide', 'restart', 'hide'].map(name => [name, ANN] as const)],
          [['join', 'flush', 'leave', 'restart', 'flush', 'frame', 'frame', 'join'].map(name => [name, ANN] as const)],
        ],
      },
    )
  })

  test('tells who joined and who left by turns', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        using bench = new Bench()
        for (const one of steps) perform(bench, one)
        bench.settle()
        for (const id of PEOPLE) {
          const kinds = bench.told.filter(line => line.startsWith(id)).map(line => line.split(' ')[1])
          let there = false
          for (const kind of kinds) {
            expect(kind === 'joined').toBe(!there)
            there = kind !== 'left'
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('tells two changes of one person in one frame, each with its own text', () => {
    using bench = new Bench()
    bench.frames.length = 0
    bench.join(ANN)
    bench.write(ANN)
    bench.write(ANN)
    bench.journal.flush()
    expect(bench.frames).toHaveLength(1)
    bench.deliverFrame()
    expect(bench.told).toEqual([`${ANN} joined undefined`, `${ANN} changed 1`, `${ANN} changed 2`])
  })

  test('does not bring back who left after a slice was made of them', () => {
    using bench = new Bench()
    bench.join(ANN)
    bench.answer()
    bench.leave(ANN)
    bench.journal.flush()
    while (bench.frames.length > 0) bench.deliverFrame()
    while (bench.slices.length > 0) bench.deliverSlice()
    expect([bench.replica.has(ANN), bench.replica.whole]).toEqual([false, true])
  })

  test('hears nothing of frames that are older than what a slice said', () => {
    using bench = new Bench()
    bench.join(ANN)
    bench.settle()
    bench.told.length = 0
    const show = (status: string) => bench.store.patchPresence({ user: { id: ANN }, status, activities: [] })
    show('idle')
    show('online')
    bench.synchronize()
    bench.answer()
    while (bench.slices.length > 0) bench.deliverSlice()
    while (bench.frames.length > 0) bench.deliverFrame()
    expect(bench.told).toEqual([])
  })

  test('is starting until it knows everybody, and synchronizes anew without anybody noticing', () => {
    using bench = new Bench()
    bench.store.setReadiness('ready')
    for (const id of PEOPLE) bench.join(id)
    expect([bench.replica.readiness, bench.replica.whole]).toEqual(['starting', false])
    bench.settle()
    expect([bench.replica.readiness, bench.replica.whole]).toEqual(['ready', true])
    bench.told.length = 0
    bench.synchronize()
    expect(bench.replica.readiness).toBe('ready')
    bench.answer()
    while (bench.slices.length > 0) bench.deliverSlice()
    expect(bench.told).toEqual([])
  })

  test('that may not be trusted shows nobody, tells nobody of it, and afterwards only what changed', () => {
    using bench = new Bench()
    bench.store.setReadiness('ready')
    for (const id of PEOPLE) bench.join(id)
    bench.settle()
    bench.told.length = 0
    const { replica } = bench
    replica.withhold(true)
    expect([replica.size, [...replica.ids()], replica.has(ANN), replica.whole]).toEqual([0, [], false, false])
    expect([replica.snapshot(ANN), replica.person(ANN), replica.readiness]).toEqual([undefined, undefined, 'starting'])
    bench.write(ANN)
    bench.hide(PEOPLE[1] as string)
    bench.settle()
    expect(bench.told).toEqual([])
    replica.withhold(false)
    expect(bench.told.sort()).toEqual([`${ANN} changed 1`, `${PEOPLE[1]} left -`])
    expect([replica.size, replica.readiness]).toEqual([4, 'ready'])
  })
})
