import { LENGTHS, type Records } from './record.ts'

/** zstd's quickest: half of base64's growth is won back three times over. */
const COMPRESSION = { level: 1 }
const LINE_FEED = 10

/** Records as one text for an engine that keeps texts: a line for each string, compressed, in base64. */
export function encodeRecords(records: Records): string {
  return Bun.zstdCompressSync(records.join('\n'), COMPRESSION).toString('base64')
}

/** Strings of their own, not parts of one: a person's text must not keep that of everybody else in memory. */
export function decodeRecords(text: string): Records {
  const bytes = Bun.zstdDecompressSync(Buffer.from(text, 'base64'))
  const records: string[] = []
  for (let start = 0; start <= bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start)
    const stop = end === -1 ? bytes.length : end
    records.push(bytes.toString('utf8', start, stop))
    start = stop + 1
  }
  return records.length === 1 && records[0] === '' ? [] : records
}

/** Whether records are of this kind at all: what was written by something else says nothing. */
export const areRecords = (records: Records) => records.length === 0 || Object.hasOwn(LENGTHS, records[0] ?? '')

/** The id of a frame in a stream: the engine itself keeps them in order, and refuses who writes for an older term. */
export const idOf = ({ term, number }: { term: number; number: number }) => `${term}-${number}`

export function readId(id: string): { term: number; number: number } {
  const [term = 0, number = 0] = id.split('-').map(Number)
  return { term, number }
}
