import { describe, expect, test } from 'bun:test'
import { createAnswer, readAnswer } from './answers.ts'

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 11\r\n\r\nHello world')

describe('readAnswer', () => {
  test('is complete with the last byte, wherever the stream is cut', () => {
    for (let cut = 1; cut < ANSWER.length; cut++) {
      const answer = createAnswer()
      expect(readAnswer(answer, ANSWER.subarray(0, cut), 200)).toBe(false)
      expect(readAnswer(answer, ANSWER.subarray(cut), 200)).toBe(true)
    }
  })

  test('reads one answer after the other on the same connection', () => {
    const answer = createAnswer()
    expect([1, 2, 3].map(() => readAnswer(answer, ANSWER, 200))).toEqual([true, true, true])
  })

  test('takes an answer without a length for one without a body', () => {
    expect(readAnswer(createAnswer(), Buffer.from('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'), 304)).toBe(true)
  })

  test('refuses an answer with another status', () => {
    expect(() => readAnswer(createAnswer(), ANSWER, 304)).toThrow('unexpected answer: HTTP/1.1 200 OK')
  })
})
