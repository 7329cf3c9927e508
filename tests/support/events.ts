import { connect } from 'node:net'

/** One server-sent event. */
export interface ServerEvent {
  readonly id: number
  // biome-ignore lint/suspicious/noExplicitAny: what an event holds is what the tests check
  readonly data: any
}

export type EventClient = ReturnType<typeof openEvents>

/** A client of an event stream that speaks TCP itself, so that it can stop reading, or vanish. */
export function openEvents(port: number, path: string, headers: readonly string[] = [], method = 'GET') {
  const tcp = connect(port, '127.0.0.1')
  tcp.write([`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'))
  const body = createBody()
  const events: ServerEvent[] = []
  const comments: string[] = []
  let wake = () => {}
  let retry: number | null = null
  let ended = false

  function readBlock(block: string): void {
    const lines = block.split('\n')
    const field = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
    const data = field('data')
    retry = Number(field('retry') ?? retry)
    if (data !== undefined) events.push({ id: Number(field('id')), data: JSON.parse(data) })
    comments.push(...lines.filter(line => line.startsWith(':')))
  }

  tcp.on('data', chunk => {
    for (const block of body.take(Buffer.from(chunk))) readBlock(block)
    wake()
  })
  tcp.on('error', () => {})
  const closed = new Promise<void>(resolve => {
    tcp.on('close', () => {
      ended = true
      wake()
      resolve()
    })
  })

  /** Resolves when this holds; rejects when the connection has closed before. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (ended) throw new Error('the stream has ended')
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }

  return {
    tcp,
    closed,
    comments,
    until,
    get retry() {
      return retry
    },
    /** Status line and header lines, once they are there. */
    async head(): Promise<readonly string[]> {
      await until(() => body.head !== '')
      return body.head.split('\r\n')
    },
    /** What came instead of events, when the connection has closed. */
    rest: () => body.rest,
    /** Whether the answer came to its proper end. */
    get whole() {
      return body.whole
    },
    async next(): Promise<ServerEvent> {
      await until(() => events.length > 0)
      return events.shift() as ServerEvent
    },
    /** Every event until one for which this holds, that one included. */
    async nextUntil(holds: (event: ServerEvent) => boolean): Promise<ServerEvent[]> {
      await until(() => events.some(holds))
      return events.splice(0, events.findIndex(holds) + 1)
    },
    close: () => void tcp.destroy(),
  }
}

/** Reads an answer of unknown length: its head, then blocks of text that end with an empty line. */
function createBody() {
  let bytes = Buffer.alloc(0)
  let text = ''
  const body = { head: '', rest: '', whole: false, take }

  function readHead(): boolean {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return false
    body.head = bytes.toString('utf8', 0, end)
    bytes = bytes.subarray(end + 4)
    return true
  }

  /** Takes one whole chunk off the bytes; null when there is none. */
  function readChunk(): string | null {
    const line = bytes.indexOf('\r\n')
    const size = line === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', 0, line), 16)
    if (Number.isNaN(size) || bytes.length < line + size + 4) return null
    const chunk = bytes.toString('utf8', line + 2, line + 2 + size)
    bytes = bytes.subarray(line + size + 4)
    if (size === 0) body.whole = true
    return chunk
  }

  function take(chunk: Buffer): string[] {
    bytes = Buffer.concat([bytes, chunk])
    if (body.head === '' && !readHead()) return []
    if (!/\r\ntransfer-encoding: chunked/i.test(body.head)) {
      body.rest = bytes.toString()
      return []
    }
    for (let piece = readChunk(); piece !== null; piece = readChunk()) text += piece
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    return blocks
  }

  return body
}
