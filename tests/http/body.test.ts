import { describe, expect, test } from 'bun:test'
import { Uploads } from '../../src/http/body.ts'

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

const read = (request: Request, patience?: number) => new Uploads(patience).read('1', request, LIMIT)

describe('a body', () => {
  test('is read to its end', async () => {
    expect(Buffer.from(await read(request(['1234', '5678']))).toString()).toBe('12345678')
    expect(await read(new Request('http://localhost', { method: 'PUT' }))).toHaveLength(0)
  })

  test('is refused when it is longer than allowed', async () => {
    await expect(read(request(['1234', '56789']))).rejects.toMatchObject({ status: 413 })
  })

  test('that breaks off is the client’s mistake, not ours', async () => {
    await expect(read(request(['1234'], 'broken off'))).rejects.toMatchObject({ code: 'incomplete_body' })
  })

  test('that has not arrived in time is given up, however steadily it comes', async () => {
    let drips = 0
    const endless = new ReadableStream({
      async pull(controller) {
        await new Promise(setImmediate)
        drips++
        controller.enqueue(Buffer.from('x'))
      },
    })
    const dripping = new Request('http://localhost', { method: 'PUT', body: endless })
    const uploads = new Uploads(30)
    const given = uploads.read('1', dripping, { bytes: 1e9, name: '' })
    await expect(given).rejects.toMatchObject({ code: 'incomplete_body' })
    expect(drips).toBeGreaterThan(1)
    const silent = new Request('http://localhost', { method: 'PUT', body: new ReadableStream() })
    await expect(read(silent, 10)).rejects.toMatchObject({ code: 'incomplete_body' })
  })
})
