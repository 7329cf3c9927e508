import { describe, expect, test } from 'bun:test'
import { FrameQueue } from '../../src/discord/frame-queue.ts'

const heavy = (name: string) => name + 'x'.repeat(100_000)
const turn = () => new Promise(resolve => setImmediate(resolve))

/** Handled frames by name, and a mark for each turn of the event loop. */
function createHandled() {
  const handled: string[] = []
  const queue = new FrameQueue(data => handled.push(String(data).replaceAll('x', '')))
  return { queue, handled }
}

describe('frames that arrive', () => {
  test('are handled at once while they are light', () => {
    const { queue, handled } = createHandled()
    for (let index = 0; index < 1000; index++) queue.take(String(index))
    expect(handled).toHaveLength(1000)
  })

  test('are handled one a turn when they are heavy', async () => {
    const { queue, handled } = createHandled()
    for (const name of ['a', 'b', 'c']) queue.take(heavy(name))
    expect(handled).toEqual(['a'])
    await turn()
    expect(handled).toEqual(['a', 'b'])
    await turn()
    expect(handled).toEqual(['a', 'b', 'c'])
  })

  test('keep their order', async () => {
    const { queue, handled } = createHandled()
    for (const frame of [heavy('a'), '1', heavy('b'), '2', '3', heavy('c'), '4']) queue.take(frame)
    expect(handled).toEqual(['a', '1'])
    await turn()
    queue.take('5')
    while (handled.length < 8) await turn()
    expect(handled).toEqual(['a', '1', 'b', '2', '3', 'c', '4', '5'])
  })

  test('do not follow READY in the turn in which it had to wait', async () => {
    const { queue, handled } = createHandled()
    for (const frame of [heavy('a'), heavy('b'), '{"t":"READY"}', '1']) queue.take(frame)
    await turn()
    await turn()
    expect(handled.at(-1)).toBe('{"t":"READY"}')
    await turn()
    expect(handled.at(-1)).toBe('1')
  })

  test('do not wait any more when too much does', () => {
    let handled = 0
    const queue = new FrameQueue(() => handled++)
    const frame = heavy('a')
    for (let index = 0; index < 1000; index++) queue.take(frame)
    const waiting = 1000 - handled
    expect(waiting).toBeGreaterThan(500)
    expect(waiting * 100_000).toBeLessThan(2 ** 26 + 100_000)
  })

  test('are forgotten with their connection', async () => {
    const { queue, handled } = createHandled()
    for (const name of ['a', 'b', 'c']) queue.take(heavy(name))
    queue.clear()
    await turn()
    await turn()
    expect(handled).toEqual(['a'])
  })

  test('may be anything', () => {
    const handled: unknown[] = []
    const queue = new FrameQueue(data => handled.push(data))
    for (const data of [null, undefined, new ArrayBuffer(1 << 20)]) queue.take(data)
    expect(handled).toHaveLength(3)
  })
})
