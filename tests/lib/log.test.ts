import { describe, expect, test } from 'bun:test'
import { createLog, type LogOptions } from '../../src/lib/log.ts'

function lines(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void): string[] {
  const written: string[] = []
  write(createLog({ level: 'info', format: 'text', write: line => written.push(line), ...options }))
  return written
}

describe('the log', () => {
  test('writes one JSON object a line with time, level, message and fields', () => {
    const [line = ''] = lines({ format: 'json' }, log => log.warn('shard closed', { shard: 1 }))
    expect(line.endsWith('\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({ time: expect.any(String), level: 'warn', message: 'shard closed', shard: 1 })
  })

  test('leaves out what is below its level', () => {
    expect(lines({ level: 'warn' }, log => log.info('hello'))).toEqual([])
    expect(lines({ level: 'silent' }, log => log.error('hello'))).toEqual([])
  })

  test('never writes a secret, wherever it appears', () => {
    for (const format of ['text', 'json'] as const) {
      const written = lines({ format, secrets: ['s3cret'] }, log => log.error('got s3cret', { header: 'Bot s3cret' }))
      expect(written.join('')).not.toContain('s3cret')
      expect(written.join('')).toContain('[redacted]')
    }
  })

  test('keeps a hostile value from forging a second line', () => {
    const [line = ''] = lines({}, log => log.info('joined\nERROR forged', { name: 'a\nb c' }))
    expect(line.trimEnd()).not.toContain('\n')
  })
})
