import type { Row } from './benchmark.ts'

/** The middle value; the mean of the two middle ones when there is an even number of them. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

const HEADINGS = ['what', 'unit', 'control', 'Exoix', 'ratio', 'min–max', 'target']

/** The rows as a Markdown table, notes below it. Ratios are Exoix divided by control, round by round. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(renderRow)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const [head, ...body] = lines.map(line => `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`)
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  const notes = rows.filter(row => row.note !== undefined).map(row => `${row.name}: ${row.note}`)
  return [head, rule, ...body, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

function renderRow({ name, unit, better, control, exoix, target }: Row): string[] {
  const ratios = exoix.map((value, round) => value / (control[round] ?? Number.NaN))
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  const values = [median(control), median(exoix)].map(renderNumber)
  return [
    name,
    `${unit} ${better === 'higher' ? '↑' : '↓'}`,
    ...values,
    median(ratios).toFixed(2),
    spread,
    target ?? '',
  ]
}

function renderNumber(value: number): string {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
