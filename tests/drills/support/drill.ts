import { parseArgs } from 'node:util'

/** What a drill found, in the order in which it is printed. */
export type Figures = Readonly<Record<string, string | number>>

/** What the command line of every drill asks for. */
export interface DrillOptions {
  /** The full size; otherwise a few seconds' worth. */
  readonly long: boolean
  /** Repeats the same choices. */
  readonly seed: number
  /** Against the compiled executable instead of `bun src/main.ts`, where the drill starts processes. */
  readonly executable: boolean
}

/** Thrown when what the drill is to show does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** Throws {@link Broken} with the sentence unless the condition holds. */
export function hold(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Broken(sentence)
}

/** Runs a drill from the command line: prints its figures, ends with code 1 when its property is broken. */
export async function runDrill(name: string, drill: (options: DrillOptions) => Promise<Figures>): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    options: { long: flag, executable: flag, seed: { type: 'string', default: '1' } },
  })
  try {
    const figures = await drill({ ...values, seed: Number(values.seed) })
    const width = Math.max(...Object.keys(figures).map(label => label.length))
    for (const [label, value] of Object.entries(figures)) console.log(`${label.padEnd(width)}  ${value}`)
    console.log(`${name}: holds`)
  } catch (error) {
    console.error(error instanceof Broken ? `${name}: BROKEN. ${error.message}` : error)
    // Whatever the drill has started is not waited for.
    process.exit(1)
  }
}

/** Waits at most so long (ms); what does not happen by then is {@link Broken}. */
export async function within<T>(patience: number, awaited: Promise<T>, sentence: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Broken(sentence)), patience)
  try {
    return await Promise.race([awaited, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The value below which this part (0 to 1) of the values lie. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

export const milliseconds = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`
export const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
