import { heapStats } from 'bun:jsc'
import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process that nobody else uses, in bytes. Source: Linux, /proc/<pid>/smaps_rollup. */
export function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(match => Number(match[1]))
  return kilobytes.reduce((sum, value) => sum + value, 0) * 1024
}

/** CPU time used by a process's living threads, user and kernel, in seconds. Source: Linux, /proc/<pid>/task. */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + threadNanoseconds(`/proc/${pid}/task/${thread}/schedstat`), 0) / 1e9
}

function threadNanoseconds(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ', 1)[0])
  } catch {
    // The thread has ended since it was listed.
    return 0
  }
}

/** This process's JavaScript heap after a full collection, in bytes. */
export function collectedHeap(): number {
  Bun.gc(true)
  Bun.gc(true)
  return heapStats().heapSize
}
