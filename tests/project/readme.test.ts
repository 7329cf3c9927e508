import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SETTINGS } from '../../src/config.ts'

const read = (path: string) => readFileSync(join(import.meta.dir, '../..', path), 'utf8')
const OPERATING = read('docs/operating.md')

describe('the operator’s page', () => {
  test('names every setting with its default, and no other', () => {
    const rows = [...OPERATING.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|/gm)].map(([, name, value = '']) => [
      name,
      value,
    ])
    const settings = Object.values(SETTINGS).map(({ env, fallback }) => [env, String(fallback ?? '')])
    expect(new Map(rows as [string, string][])).toEqual(new Map(settings as [string, string][]))
  })
})
