/** What @discordjs/ws uses of a WebSocket; a subset of the standard one. */
export interface LibrarySocket {
  binaryType: string
  readonly readyState: number
  onopen: (() => void) | null
  onmessage: ((event: { data: string }) => void) | null
  onerror: ((event: { error: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** Makes the socket for one connection the library opens. `query` is what it appends to the address, "?" included. */
type Dialer = (query: string) => LibrarySocket

const dialers = new Map<string, Dialer>()
let lastDialer = 0

/**
 * Gives a dialer an address. A manager told that the gateway is there opens its connections through that dialer; once
 * removed, they stay connecting for ever, without a timer or a socket.
 */
export function addDialer(dialer: Dialer): { address: string; remove: () => void } {
  const address = `exoix-dialer:${++lastDialer}`
  dialers.set(address, dialer)
  return { address, remove: () => void dialers.delete(address) }
}

function SocketForLibrary(url: string): LibrarySocket {
  const [address = ''] = url.split('?', 1)
  return dialers.get(address)?.(url.slice(address.length)) ?? inertSocket()
}

function inertSocket(): LibrarySocket {
  const handlers = { onopen: null, onmessage: null, onerror: null, onclose: null }
  return { binaryType: '', readyState: WebSocket.CONNECTING, ...handlers, send() {}, close() {} }
}

/**
 * The library takes the global WebSocket when it is loaded and keeps it. It is loaded by `require`, which is a copy of
 * its own, so that this happens here, now, and for nobody else, whoever imported @discordjs/ws before.
 */
function load(): typeof import('@discordjs/ws') {
  const native = globalThis.WebSocket
  globalThis.WebSocket = SocketForLibrary as unknown as typeof WebSocket
  try {
    return require('@discordjs/ws')
  } finally {
    globalThis.WebSocket = native
  }
}

export const { WebSocketManager, WebSocketShardEvents } = load()
