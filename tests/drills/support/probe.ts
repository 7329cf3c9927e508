/** A client like any other, which notes how long it waits. */
import { answerQuestions } from './worker.ts'

export interface Probed {
  /** How long reads took (ms), and what was answered but 200. */
  readonly reads: readonly number[]
  readonly refusals: readonly number[]
  /** How old changes were when they arrived (ms), in order. */
  readonly changes: readonly number[]
}

/** Milliseconds between two reads. */
const PAUSE = 2
const SENT_AT = /"state":"@(\d+\.\d+)"/

let watching = false
let running: Promise<unknown> = Promise.resolve()
let awaited: { changes: number; resolve: () => void } | undefined
let found = { reads: [] as number[], refusals: [] as number[], changes: [] as number[] }

/** The same clock in every process of a machine, in milliseconds. */
export const wallClock = () => performance.timeOrigin + performance.now()

/** Resolves once the socket has its INIT_STATE. */
async function follow(url: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket`)
  socket.onopen = () => socket.send('{"op":2,"d":{"subscribe_to_all":true}}')
  socket.onmessage = ({ data }) => {
    if (data.includes('"t":"INIT_STATE"')) return resolve()
    const sentAt = SENT_AT.exec(data)?.[1]
    if (!watching || sentAt === undefined) return
    found.changes.push(wallClock() - Number(sentAt))
    look()
  }
  await promise
}

function begin(url: string): void {
  watching = true
  awaited = undefined
  found = { reads: [], refusals: [], changes: [] }
  running = read(url)
}

async function read(url: string): Promise<void> {
  while (watching) {
    const askedAt = performance.now()
    const response = await fetch(url)
    await response.arrayBuffer()
    if (response.status === 200) found.reads.push(performance.now() - askedAt)
    else found.refusals.push(response.status)
    await Bun.sleep(PAUSE)
  }
}

/** Resolves when so many changes have arrived. */
async function end(changes: number): Promise<Probed> {
  const { promise, resolve } = Promise.withResolvers<void>()
  awaited = { changes, resolve }
  look()
  await promise
  watching = false
  await running
  return found
}

function look(): void {
  if (awaited !== undefined && found.changes.length >= awaited.changes) awaited.resolve()
}

if (import.meta.main) answerQuestions({ follow, begin, end })
