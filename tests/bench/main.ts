import { cpus, loadavg } from 'node:os'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark, Row } from './support/benchmark.ts'
import { renderTable } from './support/table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, rounds: { type: 'string' } },
})
const rounds = Number(values.rounds ?? (values.long ? 11 : 5))
const say = (text: string) => void process.stderr.write(`${text}\n`)

/** Every file beside this one is a benchmark. */
async function findBenchmarks(): Promise<Benchmark[]> {
  const files = [...new Bun.Glob('*.ts').scanSync(import.meta.dir)].filter(file => file !== basename(import.meta.path))
  const modules = await Promise.all(files.sort().map(file => import(`./${file}`) as Promise<{ benchmark: Benchmark }>))
  return modules.map(module => module.benchmark)
}

function choose(all: readonly Benchmark[]): Benchmark[] {
  const unknown = positionals.filter(name => !all.some(benchmark => benchmark.name === name))
  if (unknown.length > 0) {
    say(`There is no benchmark ${unknown.join(', ')}. There are: ${all.map(benchmark => benchmark.name).join(', ')}.`)
    process.exit(1)
  }
  return all.filter(benchmark => positionals.length === 0 || positionals.includes(benchmark.name))
}

/** A benchmark that fails says so and leaves the others their turn. */
async function measure(benchmark: Benchmark): Promise<Row[]> {
  say(`${benchmark.name} …`)
  const began = performance.now()
  try {
    return await benchmark.run({ long: values.long, rounds, say: text => say(`  ${text}`) })
  } catch (error) {
    process.exitCode = 1
    say(`${benchmark.name} failed: ${error instanceof Error ? error.stack : error}`)
    return []
  } finally {
    say(`  ${((performance.now() - began) / 1000).toFixed(0)} s`)
  }
}

const chosen = choose(await findBenchmarks())
const load = loadavg()[0]?.toFixed(2)
const rows: Row[] = []
for (const benchmark of chosen) rows.push(...(await measure(benchmark)))
const machine = `${cpus().length} × ${cpus()[0]?.model}`
console.log(
  `Bun ${Bun.version}, ${process.platform} ${process.arch}, ${machine}, load ${load} at the start, ${rounds} rounds\n`,
)
console.log(renderTable(rows))
