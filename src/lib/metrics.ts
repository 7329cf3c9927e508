/** A number that only grows. */
export interface Counter {
  inc(by?: number): void
  readonly value: number
}

/**
 * Counters and gauges in the Prometheus text format (version 0.0.4). Counters are plain numbers, so that counting costs
 * nothing on hot paths; gauges are read when somebody asks.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: Labels): Counter
  gauge(name: string, help: string, read: () => number, labels?: Labels): void
  render(): string
}

type Labels = Readonly<Record<string, string>>
interface Series {
  labels: Labels
  read: () => number
}
interface Family {
  type: 'counter' | 'gauge'
  help: string
  series: Series[]
}

export function createMetrics(prefix = 'exoix_'): Metrics {
  const families = new Map<string, Family>()

  function add(type: Family['type'], name: string, help: string, series: Series): void {
    const family = families.get(name) ?? { type, help, series: [] }
    family.series.push(series)
    families.set(name, family)
  }

  return {
    counter(name, help, labels = {}) {
      const counter = {
        value: 0,
        inc(by = 1) {
          counter.value += by
        },
      }
      add('counter', name, help, { labels, read: () => counter.value })
      return counter
    },
    gauge(name, help, read, labels = {}) {
      add('gauge', name, help, { labels, read })
    },
    render: () => [...families].map(([name, family]) => renderFamily(prefix + name, family)).join(''),
  }
}

function renderFamily(name: string, { type, help, series }: Family): string {
  const lines = series.map(({ labels, read }) => `${name}${renderLabels(labels)} ${read()}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
