/** Many clients on bare TCP: some check that they get every change in order, some never read. */
import type { Socket } from 'bun'
import { clientFrame, createFrameReader, OPCODE, PONG, upgradeRequest } from './wire.ts'
import { answerQuestions } from './worker.ts'

/** Change number n is one of person n modulo the number of people; a reader follows a block of them. */
export interface Readers {
  readonly url: string
  /** Everybody's ids; the changes name them in turn. */
  readonly ids: readonly string[]
  /** Readers who follow everybody, and readers who follow a block of people. */
  readonly everybody: number
  readonly blocks: number
  readonly blockSize: number
  /** Clients who ask for everybody and never read. */
  readonly slow: number
}

export interface Received {
  readonly messages: number
  readonly problems: readonly string[]
}

const MARK = Buffer.from('"state":"#')
/** Connections opened at once, so that no accept queue overflows. */
const WAVE = 100
const MOST_PROBLEMS = 10

interface Reader {
  /** The first of the followed people, and how many they are. */
  readonly from: number
  readonly size: number
  next: number
}

/** Milliseconds between heartbeats; who is silent for a minute is dropped. */
const HEARTBEAT_EVERY = 20_000
const HEARTBEAT = clientFrame('{"op":3}')

const readers: Reader[] = []
const problems: string[] = []
let people = 0
let messages = 0
let awaited: { last: number; resolve: () => void } | null = null

/** The first change from this number on that concerns the reader. */
function following({ from, size }: Pick<Reader, 'from' | 'size'>, number: number): number {
  const offset = (number - from + people) % people
  return offset < size ? number : number + people - offset
}

function numberOf(payload: Buffer): number {
  let at = payload.indexOf(MARK)
  if (at === -1) return -1
  let number = 0
  for (at += MARK.length; payload[at] !== 0x22; at++) number = number * 10 + (payload[at] ?? 0) - 0x30
  return number
}

function take(reader: Reader, payload: Buffer): void {
  messages++
  const number = numberOf(payload)
  if (number !== reader.next) fail(`got change ${number} instead of ${reader.next}`)
  reader.next = following(reader, number + 1)
  if (awaited !== null && reader.next > awaited.last) look()
}

/** Whether everybody has everything, or somebody never will. */
function look(): void {
  const { last, resolve } = awaited ?? { last: Number.POSITIVE_INFINITY, resolve() {} }
  if (problems.length > 0 || readers.every(({ next }) => next > last)) resolve()
}

function fail(problem: string): void {
  if (problems.length < MOST_PROBLEMS) problems.push(problem)
  look()
}

/** Resolves once the client has been given the INIT_STATE: what changes from now on concerns it. */
function connectReader(url: URL, reader: Reader, message: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let greetings = 0
  const onFrame = (opcode: number, payload: Buffer, socket: Socket<never>) => {
    if (opcode === OPCODE.ping) socket.write(PONG)
    else if (opcode === OPCODE.close) fail(`closed: ${payload.subarray(2)}`)
    else if (greetings < 2) {
      if (++greetings === 2) resolve()
    } else take(reader, payload)
  }
  void open(url, message, {
    reading(socket) {
      setInterval(() => socket.write(HEARTBEAT), HEARTBEAT_EVERY)
      return createFrameReader((opcode, payload) => onFrame(opcode, payload, socket), checkHead(reject))
    },
    closed: () => fail('a reader was disconnected'),
  })
  return promise
}

const checkHead = (reject: (error: Error) => void) => (head: string) => {
  if (!head.startsWith('HTTP/1.1 101')) reject(new Error(head))
}

interface Handling {
  reading(socket: Socket<never>): (chunk: Buffer) => void
  closed(): void
}

async function open(url: URL, message: string, { reading, closed }: Handling): Promise<void> {
  let read: (chunk: Buffer) => void = () => {}
  await Bun.connect<never>({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      open(socket) {
        read = reading(socket)
        socket.write(Buffer.concat([Buffer.from(upgradeRequest(url)), clientFrame(message)]))
      },
      data: (_socket, chunk) => read(chunk),
      close: closed,
      error() {},
    },
  })
}

/** Reads not a single byte. */
async function connectSlow(url: URL, message: string): Promise<void> {
  await open(url, message, {
    reading(socket) {
      socket.pause()
      return () => {}
    },
    closed() {},
  })
}

const ALL = '{"op":2,"d":{"subscribe_to_all":true}}'

async function connect(wanted: Readers): Promise<void> {
  const url = new URL(`${wanted.url}/socket`)
  people = wanted.ids.length
  for (let at = 0; at < wanted.everybody; at++) readers.push({ from: 0, size: people, next: 0 })
  for (let at = 0; at < wanted.blocks; at++) readers.push(block(at, wanted.blockSize))
  for (let at = 0; at < readers.length; at += WAVE) {
    const wave = readers.slice(at, at + WAVE)
    await Promise.all(wave.map(reader => connectReader(url, reader, request(reader, wanted.ids))))
  }
  await connectMoreSlow({ url: wanted.url, count: wanted.slow })
}

/** Who never reads does not even notice being thrown out, so they are told to come back. */
async function connectMoreSlow({ url, count }: { url: string; count: number }): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => connectSlow(new URL(`${url}/socket`), ALL)))
}

function block(at: number, size: number): Reader {
  const from = (at * size) % (people - size)
  return { from, size, next: following({ from, size }, 0) }
}

function request({ from, size }: Reader, ids: readonly string[]): string {
  if (size === people) return ALL
  return JSON.stringify({ op: 2, d: { subscribe_to_ids: ids.slice(from, from + size) } })
}

/** Resolves when every reader has every change up to this one, or is in trouble. */
async function received(last: number): Promise<Received> {
  const { promise, resolve } = Promise.withResolvers<void>()
  awaited = { last, resolve }
  look()
  await promise
  return { messages, problems }
}

answerQuestions({ connect, connectMoreSlow, received })
