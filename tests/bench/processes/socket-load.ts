import type { Socket } from 'bun'
import { now, takeCommands } from '../support/commands.ts'
import { countFrames, createIncoming, EMPTY_PONG, type Incoming, maskedFrame } from '../support/frame-counter.ts'

export interface Crowd {
  /** `http://host:port/path?query` of the socket. */
  readonly url: string
  readonly count: number
  /** The one message each client sends. */
  readonly message: string
  /** Messages each client must receive before it counts as connected (Hello and INIT_STATE). */
  readonly greetings: number
}

export interface Received {
  /** When the last message was there: milliseconds as {@link now} counts them. */
  readonly at: number
  /** CPU seconds this process has used so far. */
  readonly cpu: number
}

const CLOSE = 8
const PING = 9
/** Sockets opened at once, so that no accept queue overflows. */
const WAVE = 100
/** Milliseconds after which missing frames are an error. */
const PATIENCE = 30_000

let crowd: Socket<Incoming>[] = []
/** Data frames received by all clients together. */
let frames = 0
let awaited: { readonly frames: number; readonly resolve: (received: Received) => void } | null = null
let expected: Promise<Received> | null = null
let problem: string | null = null

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Clients count frames and look at nothing else, so that they take less of the machine than the server. */
function receive(socket: Socket<Incoming>, chunk: Buffer): void {
  const onFrame = (opcode: number) => {
    if (opcode === PING) socket.write(EMPTY_PONG)
    else if (opcode === CLOSE) problem = 'the server closed a socket'
    else if (++frames === awaited?.frames) awaited.resolve({ at: now(), cpu: cpu() })
  }
  if (!countFrames(socket.data, chunk, onFrame)) problem = `no upgrade: ${chunk.subarray(0, 100)}`
}

/** Resolves when this many more frames are there. */
async function receiveFrames(more: number): Promise<Received> {
  const received = Promise.withResolvers<Received>()
  const total = frames + more
  awaited = { frames: total, resolve: received.resolve }
  const missing = () => received.reject(new Error(problem ?? `${total - frames} of ${more} frames are missing`))
  const patience = setTimeout(missing, PATIENCE)
  try {
    return await received.promise
  } finally {
    clearTimeout(patience)
  }
}

async function connect({ url, count, message, greetings }: Crowd): Promise<void> {
  const { hostname, port, host, pathname, search } = new URL(url)
  const upgrade =
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  const hello = Buffer.concat([Buffer.from(upgrade), maskedFrame(message)])
  const socket = { open: (socket: Socket<Incoming>) => void socket.write(hello), data: receive, close: lost }
  while (crowd.length < count) {
    const size = Math.min(WAVE, count - crowd.length)
    const greeted = receiveFrames(size * greetings)
    const wave = Array.from({ length: size }, () =>
      Bun.connect<Incoming>({ hostname, port: Number(port), socket, data: createIncoming() }),
    )
    crowd.push(...(await Promise.all(wave)))
    await greeted
  }
}

function lost(): void {
  if (crowd.length > 0) problem ??= 'a socket was lost'
}

function disconnect(): void {
  const leaving = crowd
  crowd = []
  for (const socket of leaving) socket.terminate()
}

/** Starts counting before a burst begins; `received` waits for its end. Answers the CPU seconds used so far. */
function expect(framesPerSocket: number): number {
  expected = receiveFrames(crowd.length * framesPerSocket)
  expected.catch(() => {})
  return cpu()
}

takeCommands({ connect, disconnect, expect, received: () => expected })
