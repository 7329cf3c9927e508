import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SETTINGS } from '../../src/config.ts'

const README = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')

describe('the README', () => {
  test('names every setting with its default, and no other', () => {
    const rows = [...README.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|/gm)].map(([, name, value = '']) => [
      name,
      value,
    ])
    const settings = Object.values(SETTINGS).map(({ env, fallback }) => [env, String(fallback ?? '')])
    expect(new Map(rows as [string, string][])).toEqual(new Map(settings as [string, string][]))
  })
})
