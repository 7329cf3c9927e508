/**
 * Everything a stream brings, of at most so many bytes; null as soon as it is more, and then no more of it is read: leaving
 * the loop cancels the stream. Rejects when the stream breaks.
 */
export async function readAtMost(bytes: number, stream: ReadableStream<Uint8Array> | null): Promise<Buffer | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream ?? []) {
    length += chunk.byteLength
    if (length > bytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}
