/** How far one HTTP answer has been read. */
export interface Answer {
  /** Bytes of the body that are still to come. */
  left: number
  /** The head, while it is incomplete. */
  head: Buffer | null
}

export const createAnswer = (): Answer => ({ left: 0, head: null })

const END = '\r\n\r\n'

/**
 * Takes what arrived of the one answer under way; true when it is complete. Looks at no more than the status and the
 * length. Throws when the status is another: a fast refusal is no read.
 */
export function readAnswer(answer: Answer, chunk: Buffer, status: number): boolean {
  if (answer.left > 0) {
    answer.left -= chunk.length
    return answer.left === 0
  }
  const head = answer.head === null ? chunk : Buffer.concat([answer.head, chunk])
  const end = head.indexOf(END)
  answer.head = end < 0 ? head : null
  if (end < 0) return false
  const text = head.toString('latin1', 0, end)
  if (!text.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`unexpected answer: ${text.slice(0, 200)}`)
  answer.left = contentLength(text) - (head.length - end - END.length)
  return answer.left === 0
}

/** 0 without the header: a 304 has no body. */
function contentLength(head: string): number {
  const found = /\r\ncontent-length: (\d+)/i.exec(head)
  return found === null ? 0 : Number(found[1])
}

export function requestText(host: string, path: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}
