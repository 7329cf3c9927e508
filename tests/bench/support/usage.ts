import { heapStats } from 'bun:jsc'
import { readFileSync } from 'node:fs'

/** Memory of a process that nobody else uses, in bytes. Source: Linux, /proc/<pid>/smaps_rollup. */
export function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(match => Number(match[1]))
  return kilobytes.reduce((sum, value) => sum + value, 0) * 1024
}

/** CPU time used by a process, user and kernel, in seconds. Source: Linux, /proc/<pid>/stat. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in parentheses, which may contain blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS
}

/** `getconf CLK_TCK`: 100 on every Linux that Bun runs on. */
const CLOCK_TICKS = 100

/** This process's JavaScript heap after a full collection, in bytes. */
export function collectedHeap(): number {
  Bun.gc(true)
  Bun.gc(true)
  return heapStats().heapSize
}
