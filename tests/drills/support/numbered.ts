import type { Activity } from '../../../src/simulator/types.ts'

/** A custom status that tells how many changes of this person there were. */
export function numbered(number: number): Activity {
  return { type: 4, id: 'custom', name: 'Custom Status', state: `#${number}`, created_at: 1_767_225_600_000 }
}

const NUMBER = /"state":"#(\d+)"/

/** The number in the JSON of a presence; -1 when there is none. */
export function numberIn(json: string): number {
  return Number(NUMBER.exec(json)?.[1] ?? -1)
}
