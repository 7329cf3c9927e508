import { dlopen } from 'bun:ffi'

const INT = 'i32'

/**
 * The few system calls of a client that takes in a gigabyte a second on a part of one core: data lands in one buffer,
 * and no object is made for it. Bun's own sockets copy every chunk into a fresh Buffer, which takes more of the machine
 * than the server that is measured. Linux only, as are the memory figures.
 */
const { symbols } = dlopen(await libraryName(), {
  socket: { args: [INT, INT, INT], returns: INT },
  connect: { args: [INT, 'buffer', 'u32'], returns: INT },
  send: { args: [INT, 'buffer', 'u64', INT], returns: 'i64' },
  recv: { args: [INT, 'buffer', 'u64', INT], returns: 'i64' },
  close: { args: [INT], returns: INT },
  epoll_create1: { args: [INT], returns: INT },
  epoll_ctl: { args: [INT, INT, INT, 'buffer'], returns: INT },
  epoll_wait: { args: [INT, 'buffer', INT, INT], returns: INT },
})

/** glibc, or musl on Alpine. */
async function libraryName(): Promise<string> {
  const musl = `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`
  return (await Bun.file(`/lib/${musl}`).exists()) ? musl : 'libc.so.6'
}

const AF_INET = 2
const SOCK_STREAM = 1
const MSG_DONTWAIT = 0x40
const EPOLLIN = 1
const EPOLL_CTL_ADD = 1
/** `struct epoll_event` is packed on x86-64 only. */
const EVENT_SIZE = process.arch === 'x64' ? 12 : 16
const EVENT_DATA = EVENT_SIZE - 8

/** A connected TCP socket's file descriptor. */
export function connectTo(port: number): number {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(AF_INET, 0)
  address.writeUInt16BE(port, 2)
  address.set([127, 0, 0, 1], 4)
  const descriptor = symbols.socket(AF_INET, SOCK_STREAM, 0)
  if (descriptor < 0 || symbols.connect(descriptor, address, address.length) !== 0) {
    throw new Error('a connection could not be opened: too many open files, or no server')
  }
  return descriptor
}

export const sendTo = (descriptor: number, bytes: Uint8Array) => {
  symbols.send(descriptor, bytes, bytes.length, 0)
}

/** Reads what is there into the buffer. Bytes read; 0 at the end of the stream, negative when there is nothing. */
export const receiveFrom = (descriptor: number, into: Uint8Array): number =>
  Number(symbols.recv(descriptor, into, into.length, MSG_DONTWAIT))

export const closeSocket = (descriptor: number) => void symbols.close(descriptor)

/** Tells which of many sockets have something to read. */
export interface Poll {
  add(descriptor: number): void
  /** Waits at most so many milliseconds and calls back for each readable socket. */
  wait(milliseconds: number, onReadable: (descriptor: number) => void): void
}

const EVENTS_AT_ONCE = 512

export function createPoll(): Poll {
  const poll = symbols.epoll_create1(0)
  const events = Buffer.alloc(EVENT_SIZE * EVENTS_AT_ONCE)
  return {
    add(descriptor) {
      const event = Buffer.alloc(EVENT_SIZE)
      event.writeUInt32LE(EPOLLIN, 0)
      event.writeInt32LE(descriptor, EVENT_DATA)
      symbols.epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, event)
    },
    wait(milliseconds, onReadable) {
      const count = symbols.epoll_wait(poll, events, EVENTS_AT_ONCE, milliseconds)
      for (let index = 0; index < count; index++) onReadable(events.readInt32LE(index * EVENT_SIZE + EVENT_DATA))
    },
  }
}
