import { parseFrame } from '../../../../src/live/protocol.ts'
import type { Random } from '../../../../src/simulator/random.ts'
import { hold } from '../drill.ts'
import { createMutator } from './mutate.ts'

const GOOD: readonly unknown[] = [
  { op: 3 },
  { op: 2, d: { subscribe_to_id: '94490510688792576' } },
  { op: 2, d: { subscribe_to_ids: ['94490510688792576', '1', '2'] } },
  { op: 2, d: { subscribe_to_all: true } },
  { op: 4, d: { unsubscribe_from_id: '1' } },
  { op: 4, d: { unsubscribe_from_ids: ['1', '2'] } },
  { op: 4, d: { unsubscribe_from_all: true } },
]
const KINDS = ['followOne', 'followMany', 'followAll', 'unfollow', 'unfollowAll', 'nothing', 'close']
const CODES = [4004, 4005, 4006]

/** Any text a client may send becomes a command about snowflakes, or one of the documented closes. */
export function fuzzFrames(cases: number, random: Random): void {
  const mutate = createMutator(random)
  for (let made = 0; made < cases; made++) {
    let text = JSON.stringify(mutate.value(random.pick(GOOD))) ?? ''
    if (random.chance(0.3)) text = mutate.text(text)
    const parsed = parseFrame(text)
    hold(KINDS.includes(parsed.kind), `${text} became ${parsed.kind}`)
    if (parsed.kind === 'close') hold(CODES.includes(parsed.code), `${text} closes with ${parsed.code}`)
    const ids = 'ids' in parsed ? parsed.ids : 'id' in parsed && parsed.id !== null ? [parsed.id] : []
    hold(
      ids.every(id => /^\d{1,20}$/.test(id)),
      `${text} names ${ids}`,
    )
  }
}
