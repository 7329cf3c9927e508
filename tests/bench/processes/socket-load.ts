import { now, takeCommands } from '../support/commands.ts'
import { countFrames, createIncoming, EMPTY_PONG, type Incoming, maskedFrame } from '../support/frame-counter.ts'
import { closeSocket, connectTo, createPoll, receiveFrom, sendTo } from '../support/libc.ts'
import { Delays, type Lateness, type Trickle } from '../support/trickle.ts'

export interface Crowd {
  /** `http://host:port/path?query` of the socket, on this machine. */
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
/** How long one look for data may keep commands waiting, and how often pings are looked for otherwise. Milliseconds. */
const LOOK = 2
const PINGS = 500

const poll = createPoll()
const crowd = new Map<number, Incoming>()
/** Set while updates come evenly spaced: how late each was at each client. */
let delays: Delays | null = null
const buffer = Buffer.alloc(1 << 20)
/** Data frames received by all clients together. */
let frames = 0
let expected: Promise<Received> | null = null

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Clients count frames and look at nothing else, so that they take less of the machine than the server. */
function receive(descriptor: number): void {
  const incoming = crowd.get(descriptor)
  const length = receiveFrom(descriptor, buffer)
  if (incoming === undefined || length < 0) return
  const onFrame = (opcode: number) => {
    if (opcode === PING) sendTo(descriptor, EMPTY_PONG)
    else if (opcode === CLOSE) throw new Error('the server closed a socket')
    else {
      frames++
      delays?.arrived(descriptor, at)
    }
  }
  const at = delays === null ? 0 : now()
  if (length === 0) throw new Error('a socket was lost')
  if (!countFrames(incoming, buffer, length, onFrame)) throw new Error(`no upgrade: ${buffer.subarray(0, 100)}`)
}

/** Resolves when this many more frames are there. */
async function receiveFrames(more: number): Promise<Received> {
  const total = frames + more
  const end = now() + PATIENCE
  while (frames < total) {
    poll.wait(LOOK, receive)
    if (now() > end) throw new Error(`${total - frames} of ${more} frames are missing`)
    if (frames < total) await new Promise(resolve => setImmediate(resolve))
  }
  return { at: now(), cpu: cpu() }
}

async function connect({ url, count, message, greetings }: Crowd): Promise<void> {
  const { port, host, pathname, search } = new URL(url)
  const upgrade =
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  const hello = Buffer.concat([Buffer.from(upgrade), maskedFrame(message)])
  while (crowd.size < count) {
    const size = Math.min(WAVE, count - crowd.size)
    for (let opened = 0; opened < size; opened++) open(Number(port), hello)
    await receiveFrames(size * greetings)
  }
}

function open(port: number, hello: Uint8Array): void {
  const descriptor = connectTo(port)
  crowd.set(descriptor, createIncoming())
  sendTo(descriptor, hello)
  poll.add(descriptor)
}

function disconnect(): void {
  for (const descriptor of crowd.keys()) closeSocket(descriptor)
  crowd.clear()
}

/** Starts counting before a burst begins; `received` waits for its end. Answers the CPU seconds used so far. */
function expect(framesPerSocket: number): number {
  expected = receiveFrames(crowd.size * framesPerSocket)
  expected.catch(() => {})
  return cpu()
}

/** Starts counting before updates begin to come one by one; `trickled` waits for the last. Answers the CPU seconds used so far. */
function expectTrickle(plan: Trickle): number {
  delays = new Delays(plan)
  return expect(plan.count)
}

async function trickled(): Promise<Received & Lateness> {
  const received = await expected
  const lateness = delays?.read()
  expected = null
  delays = null
  if (received === null || lateness === undefined) throw new Error('expectTrickle comes first')
  return { ...received, ...lateness }
}

setInterval(() => expected ?? poll.wait(0, receive), PINGS)
takeCommands({
  connect,
  disconnect,
  expect,
  expectTrickle,
  trickled,
  async received() {
    const received = await expected
    expected = null
    return received
  },
})
