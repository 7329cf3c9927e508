/** A number that only grows. */
export interface Counter {
  inc(by?: number): void
  readonly value: number
}

/** How the same number of several threads becomes one: their sum, or the highest where all of them measure one thing. */
type Combine = 'sum' | 'max'

/**
 * What rises must say so by its name (`_total`), and what doesn't must not. The names Lanyard has for some of them stay
 * beside, as numbers nothing is said of. Source: Prometheus docs, "Metric and label naming".
 */
const TOTAL = '_total'

/**
 * Counters and gauges in the Prometheus text format (version 0.0.4). Counters are plain numbers, so that counting costs
 * nothing on hot paths; gauges are read when somebody asks.
 */
export interface Metrics {
  /** Shown as `<name>_total`, and as `name` too where that ends otherwise. */
  counter(name: string, help: string, labels?: Labels): Counter
  /** A counter of what is counted elsewhere already. */
  total(name: string, help: string, read: () => number, combine?: Combine): void
  gauge(name: string, help: string, read: () => number, labels?: Labels, combine?: Combine): void
  /** The numbers as they are now, to be combined with those of others. Without gauges, what reading resets stays. */
  read(which?: 'all' | 'counters'): Readings
  render(): string
}

type Labels = Readonly<Record<string, string>>

/** One name with all its numbers, by their labels as text. Plain data, for other threads. */
interface Family {
  readonly type: 'counter' | 'gauge' | 'untyped'
  readonly help: string
  readonly combine: Combine
  readonly series: ReadonlyMap<string, number>
}

/** All numbers of one moment, by name. */
export type Readings = ReadonlyMap<string, Family>

interface Registered extends Omit<Family, 'series'> {
  readonly series: Map<string, (() => number)[]>
}

export function createMetrics(prefix = 'exoix_'): Metrics {
  const families = new Map<string, Registered>()

  function add(name: string, labels: Labels, read: () => number, about: Omit<Registered, 'series'>): void {
    const family = families.get(prefix + name) ?? { ...about, series: new Map() }
    families.set(prefix + name, family)
    const key = renderLabels(labels)
    family.series.set(key, [...(family.series.get(key) ?? []), read])
  }

  function read(which = 'all'): Readings {
    const wanted = [...families].filter(([, { type }]) => which === 'all' || type !== 'gauge')
    return new Map(wanted.map(([name, { series, ...about }]) => [name, { ...about, series: readAll(series) }]))
  }

  return {
    counter(name, help, labels = {}) {
      const counter = {
        value: 0,
        inc(by = 1) {
          counter.value += by
        },
      }
      const value = () => counter.value
      const about = { help, combine: 'sum' } as const
      if (!name.endsWith(TOTAL)) add(name, labels, value, { ...about, type: 'untyped' })
      add(name.endsWith(TOTAL) ? name : name + TOTAL, labels, value, { ...about, type: 'counter' })
      return counter
    },
    total(name, help, read, combine = 'sum') {
      add(name, {}, read, { type: 'counter', help, combine })
    },
    gauge(name, help, read, labels = {}, combine = 'sum') {
      add(name, labels, read, { type: 'gauge', help, combine })
    },
    read,
    render: () => renderReadings(read()),
  }
}

const readAll = (series: Registered['series']) =>
  new Map(Array.from(series, ([labels, reads]) => [labels, reads.reduce((sum, read) => sum + read(), 0)]))

/** The numbers of several threads as those of one. */
export function combineReadings(all: readonly Readings[]): Readings {
  const combined = new Map<string, Family & { series: Map<string, number> }>()
  for (const [name, { series, ...about }] of all.flatMap(readings => [...readings])) {
    const family = combined.get(name) ?? { ...about, series: new Map<string, number>() }
    combined.set(name, family)
    for (const [labels, value] of series) {
      const known = family.series.get(labels)
      family.series.set(labels, known === undefined ? value : both(about.combine, known, value))
    }
  }
  return combined
}

const both = (combine: Combine, one: number, other: number) => (combine === 'max' ? Math.max(one, other) : one + other)

export function renderReadings(readings: Readings): string {
  return Array.from(readings, ([name, family]) => renderFamily(name, family)).join('')
}

function renderFamily(name: string, { type, help, series }: Family): string {
  const lines = Array.from(series, ([labels, value]) => `${name}${labels} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
