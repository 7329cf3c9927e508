/** Milliseconds: the first wait, doubled with every failure up to the longest one. */
export interface Backoff {
  firstMs: number
  longestMs: number
}

/** How long to wait after so many failures in a row: none after none, else a random half to the whole of the step. */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff, random = Math.random): number {
  if (failures <= 0) return 0
  const step = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return step * (0.5 + random() / 2)
}
