/**
 * Numbers everything that is told of presences. One for sockets and event streams together: on each of them numbers
 * rise, and may skip.
 */
export interface Sequence {
  next(): number
}

export function createSequence(): Sequence {
  let last = 0
  return { next: () => ++last }
}
