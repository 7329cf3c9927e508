import { describe, expect, test } from 'bun:test'
import { readBody } from '../../src/http/body.ts'

const LIMIT = { bytes: 8, name: '8 bytes' }

function request(chunks: readonly string[], end: 'whole' | 'broken off' = 'whole'): Request {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk))
      if (end === 'whole') controller.close()
      else controller.error(new DOMException('The connection was closed.', 'AbortError'))
    },
  })
  return new Request('http://localhost', { method: 'PUT', body })
}

describe('a body', () => {
  test('is read to its end', async () => {
    expect(Buffer.from(await readBody(request(['1234', '5678']), LIMIT)).toString()).toBe('12345678')
    expect(await readBody(new Request('http://localhost', { method: 'PUT' }), LIMIT)).toHaveLength(0)
  })

  test('is refused when it is longer than allowed', async () => {
    await expect(readBody(request(['1234', '56789']), LIMIT)).rejects.toMatchObject({ status: 413 })
  })

  test('that breaks off is the client’s mistake, not ours', async () => {
    await expect(readBody(request(['1234'], 'broken off'), LIMIT)).rejects.toMatchObject({ code: 'incomplete_body' })
  })
})
