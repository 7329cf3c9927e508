/** One line of the table: what was measured, once for the control and once for Exoix in every round. */
export interface Row {
  readonly name: string
  /** Unit of the values, e.g. `requests/s`. */
  readonly unit: string
  /** Which way is better; the ratio is always Exoix divided by control. */
  readonly better: 'higher' | 'lower'
  readonly control: readonly number[]
  readonly exoix: readonly number[]
  /** What is aimed at, in words: `ratio ≥ 0.90`. Printed, never enforced. */
  readonly target?: string
  /** What one has to know to read the row, e.g. how busy the clients were. */
  readonly note?: string
}

export interface RunOptions {
  /** Longer rounds and more of them. */
  readonly long: boolean
  /** Rounds after the warm-up; each measures the control, then Exoix. At least 5. */
  readonly rounds: number
  /** Says what is going on; not part of the result. */
  readonly say: (text: string) => void
}

/** What every file beside main.ts exports as `benchmark`. */
export interface Benchmark {
  readonly name: string
  run(options: RunOptions): Promise<Row[]>
}

/** The values of all rounds, in order. */
export interface Pairs {
  readonly control: number[]
  readonly exoix: number[]
}

/**
 * Measures control and Exoix in turns (A B A B …), so that whatever else the machine does hits both alike. One pair is
 * measured and thrown away first: the warm-up.
 */
export async function alternate(
  rounds: number,
  control: () => Promise<number>,
  exoix: () => Promise<number>,
): Promise<Pairs> {
  const pairs: Pairs = { control: [], exoix: [] }
  await control()
  await exoix()
  for (let round = 0; round < rounds; round++) {
    pairs.control.push(await control())
    pairs.exoix.push(await exoix())
  }
  return pairs
}
