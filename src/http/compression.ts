import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bytes } from '../lib/bytes.ts'

/** Content codings we speak, the preferred one first: zstd is smaller and cheaper on both sides. */
const ENCODINGS = ['zstd', 'gzip'] as const
export type Encoding = (typeof ENCODINGS)[number]

/**
 * Below this a body and its headers travel in one TCP segment (about 1.4 KB) either way, so compressing saves the
 * client nothing and costs both sides something.
 */
export const WORTH_COMPRESSING = 1024

/**
 * Above this (bytes), compressing takes milliseconds: it moves to another thread, so that nobody else waits. And such
 * bodies are sent piece by piece, because what nobody reads of them is counted.
 */
export const LARGE = 64 * 1024

/** The few forms of Accept-Encoding that clients send, already understood. Bounded, because anybody may send anything. */
const known = new Map<string, Encoding | undefined>()
const MAX_KNOWN = 256

/** The best encoding the client accepts, or undefined to send the body as it is. Source: RFC 9110, 12.5.3. */
export function negotiate(acceptEncoding: string | null): Encoding | undefined {
  if (acceptEncoding === null) return undefined
  if (known.has(acceptEncoding)) return known.get(acceptEncoding)
  const chosen = choose(acceptEncoding)
  if (known.size < MAX_KNOWN) known.set(acceptEncoding, chosen)
  return chosen
}

export function compress(encoding: Encoding, body: Bytes): Bytes {
  return encoding === 'zstd' ? owned(Bun.zstdCompressSync(body)) : Bun.gzipSync(body)
}

/** As small as can be, for what is compressed once and sent for days. */
export function compressWell(encoding: Encoding, body: Bytes): Bytes {
  return encoding === 'zstd' ? owned(Bun.zstdCompressSync(body, { level: 12 })) : Bun.gzipSync(body, { level: 9 })
}

/** On another thread. */
export async function compressAside(encoding: Encoding, body: Bytes): Promise<Bytes> {
  return owned(await (encoding === 'zstd' ? Bun.zstdCompress(body) : gzipElsewhere(body)))
}

const gzipElsewhere = promisify<Bytes, Buffer>(gzip)

/** Narrows a type: what compresses for us always allocates its own memory, never shared one. */
const owned = (buffer: Buffer) => buffer as Bytes

/** `*` stands for gzip alone: whoever names nothing may have been given it by a proxy, and everybody reads gzip. */
function choose(header: string): Encoding | undefined {
  const weights = readWeights(header)
  const weight = (coding: Encoding) => weights.get(coding) ?? (coding === 'gzip' ? (weights.get('*') ?? 0) : 0)
  const best = ENCODINGS.toSorted((a, b) => weight(b) - weight(a))[0]
  if (best === undefined || weight(best) === 0) return undefined
  return (weights.get('identity') ?? 0) > weight(best) ? undefined : best
}

/** Characters of a list up to which it is read: no client sends more, and taking more apart costs more than an answer. */
export const LONGEST_LIST = 1024

/** Reads a list of choices such as `gzip;q=0.5, zstd` or `text/html, text/plain;q=0.1`. What has no weight has 1. */
export function readWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  if (header.length > LONGEST_LIST) return weights
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map(piece => piece.trim())
    const q = parameters.find(parameter => parameter.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    if (name !== '') weights.set(name, Number.isFinite(weight) ? Math.min(Math.max(weight, 0), 1) : 0)
  }
  return weights
}

/** Whether a client would rather see a page than JSON: browsers name text/html, programs ask for anything. */
export const prefersHtml = (accept: string | null): boolean => accept !== null && leaning(accept) > 0

/** Whether a client takes a page as gladly as JSON: what makes previews of links asks for anything. */
export const takesHtml = (accept: string | null): boolean => accept === null || leaning(accept) >= 0

/** Above 0 towards HTML, below it towards JSON. */
function leaning(accept: string): number {
  const weights = readWeights(accept)
  const weight = (type: string, range: string) => weights.get(type) ?? weights.get(range) ?? weights.get('*/*') ?? 0
  return weight('text/html', 'text/*') - weight('application/json', 'application/*')
}
