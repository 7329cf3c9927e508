import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ApiError, storageUnavailable } from '../../src/domain/errors.ts'
import { createKeys, hashKey, isFindableKey, type KeyStore, keyCandidates } from '../../src/domain/keys.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const LANYARD_KEY = '0123456789abcdef0123456789abcdef'
const LATER_LANYARD_KEY = 'lnyd_ffeeddccbbaa99887766554433221100'

let store: Store
beforeEach(() => {
  store = openStore(':memory:', { log: silent })
})
afterEach(() => store.close())

/** A store that cannot keep anything. */
const broken: KeyStore = {
  loadKeys: () => [[hashKey(LANYARD_KEY), ANN]],
  replaceKeys: () => Promise.reject(storageUnavailable()),
  deleteKeys: () => Promise.reject(storageUnavailable()),
}

describe('a key', () => {
  test('has a prefix, 256 random bits, and belongs to one person', async () => {
    const keys = createKeys(store)
    const ann = await keys.issue(ANN)
    const ben = await keys.issue(BEN)
    expect(ann).toMatch(/^exoix_[A-Za-z0-9_-]{43}$/)
    expect(ann).not.toBe(ben)
    expect([keys.ownerOf(hashKey(ann)), keys.ownerOf(hashKey(ben))]).toEqual([ANN, BEN])
  })

  test('is worthless as soon as the next one is made', async () => {
    const keys = createKeys(store)
    const first = await keys.issue(ANN)
    const second = await keys.issue(ANN)
    expect([keys.ownerOf(hashKey(first)), keys.ownerOf(hashKey(second))]).toEqual([undefined, ANN])
  })

  test('lives on in the next process, and its revocation too', async () => {
    const keys = createKeys(store)
    const first = await keys.issue(ANN)
    const second = await keys.issue(ANN)
    const revoked = await keys.issue(BEN)
    await keys.revoke(BEN)
    const next = createKeys(store)
    expect([first, second, revoked].map(key => next.ownerOf(hashKey(key)))).toEqual([undefined, ANN, undefined])
  })

  test.each(['', ' ', 'undefined', 'null', 'exoix_', '__proto__', hashKey(LANYARD_KEY)])(
    '%j is nobody’s',
    async key => {
      const keys = createKeys(store)
      await keys.issue(ANN)
      expect(keys.ownerOf(hashKey(key))).toBeUndefined()
    },
  )

  test('that comes from Lanyard works, beside others of the same person, until a new one is made', async () => {
    await store.importKeys(ANN, new Set([hashKey(LANYARD_KEY), hashKey(LATER_LANYARD_KEY)]))
    const keys = createKeys(store)
    expect([LANYARD_KEY, LATER_LANYARD_KEY].map(key => keys.ownerOf(hashKey(key)))).toEqual([ANN, ANN])
    await keys.issue(ANN)
    expect([LANYARD_KEY, LATER_LANYARD_KEY].map(key => keys.ownerOf(hashKey(key)))).toEqual([undefined, undefined])
  })

  test('that is only drafted is not valid, and leaves the old one valid, until it is activated', async () => {
    const keys = createKeys(store)
    const old = await keys.issue(ANN)
    const draft = keys.draft(ANN)
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([undefined, ANN])
    await draft.activate()
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([ANN, undefined])
  })

  test('that is presented is the one that works, until it is withdrawn or activated', async () => {
    const keys = createKeys(store)
    const old = await keys.issue(ANN)
    const withdrawn = keys.draft(ANN)
    withdrawn.present()
    expect([keys.ownerOf(hashKey(withdrawn.key)), keys.ownerOf(hashKey(old))]).toEqual([ANN, undefined])
    withdrawn.withdraw()
    expect([keys.ownerOf(hashKey(withdrawn.key)), keys.ownerOf(hashKey(old))]).toEqual([undefined, ANN])
    const activated = keys.draft(ANN)
    activated.present()
    await activated.activate()
    expect([keys.ownerOf(hashKey(activated.key)), keys.ownerOf(hashKey(old))]).toEqual([ANN, undefined])
  })

  test('that is suspended while a new one is presented is still found when it leaks, and stays revoked', async () => {
    const keys = createKeys(store)
    const old = await keys.issue(ANN)
    const draft = keys.draft(ANN)
    draft.present()
    expect(keys.leaked(`see ${old}`)).toEqual([ANN])
    await keys.revoke(ANN)
    draft.withdraw()
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([undefined, undefined])
  })

  test('that is revoked while it is being handed over is not activated any more', async () => {
    const keys = createKeys(store)
    await keys.issue(ANN)
    const draft = keys.draft(ANN)
    draft.present()
    await keys.revoke(ANN)
    await draft.activate()
    expect(keys.ownerOf(hashKey(draft.key))).toBeUndefined()
    expect([...store.loadKeys()]).toEqual([])
  })

  test('that is presented is not in the store until it is activated', async () => {
    const keys = createKeys(store)
    const old = await keys.issue(ANN)
    keys.draft(ANN).present()
    expect(createKeys(store).ownerOf(hashKey(old))).toBe(ANN)
  })

  test('stays valid when the new one cannot be stored', async () => {
    const keys = createKeys(broken)
    await expect(keys.issue(ANN)).rejects.toBeInstanceOf(ApiError)
    await keys.issue(ANN).catch(() => {})
    expect(keys.ownerOf(hashKey(LANYARD_KEY))).toBe(ANN)
  })

  test('is worthless at once when it is revoked, even while that cannot be stored', async () => {
    const keys = createKeys(broken)
    const revoked = keys.revoke(ANN)
    expect(keys.ownerOf(hashKey(LANYARD_KEY))).toBeUndefined()
    await expect(revoked).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  test('made while the old one is being revoked is revoked with it, in memory as in the store', async () => {
    const keys = createKeys(store)
    const [made] = await Promise.all([keys.issue(ANN), keys.revoke(ANN)])
    expect(keys.ownerOf(hashKey(made))).toBeUndefined()
    expect([...store.loadKeys()]).toEqual([])
  })
})

describe('a leaked key', () => {
  const places: [where: string, text: (key: string) => string][] = [
    ['alone', key => key],
    ['in a sentence', key => `here is ${key}, ok?`],
    ['as a header', key => `Authorization:${key}`],
    ['in quotes', key => `{"key":"${key}"}`],
    ['in back-ticks', key => `\`\`\`sh\nexport KEY=${key}\n\`\`\``],
    ['behind a spoiler', key => `||${key}||`],
    ['in bold italics', key => `***${key}***`],
    ['in underscores', key => `__${key}__`],
    ['in dashes', key => `--${key}--`],
    ['in a URL', key => `https://x.y/?key=${key}&a=b#c`],
    ['in a link', key => `[a](https://x.y/${key})`],
    ['after other letters', key => `mykeyis${key}`],
    ['before other letters', key => `${key}thanks`],
    ['between other characters that keys are made of', key => `zz_-${key}-_zz`],
    ['deep in a long message', key => `${'word '.repeat(700)}${key}${' word'.repeat(60)}`],
    ['after half a key', key => `exoix_${key}`],
    ['after something that looks like one', key => `exoix_${'A'.repeat(43)}${key}`],
    ['between other hex digits', key => `abc${key}123`],
  ]

  test.each(places)('is found %s', async (_, text) => {
    await store.importKeys(BEN, new Set([hashKey(LANYARD_KEY)]))
    await store.importKeys('3', new Set([hashKey(LATER_LANYARD_KEY)]))
    const keys = createKeys(store)
    expect(keys.leaked(text(await keys.issue(ANN)))).toEqual([ANN])
    expect(keys.leaked(text(LANYARD_KEY))).toEqual([BEN])
    expect(keys.leaked(text(LATER_LANYARD_KEY))).toEqual(['3'])
  })

  test('of some other shape is found as a word of its own', async () => {
    const odd = 'My-own_key-of-2019'
    await store.importKeys(ANN, new Set([hashKey(odd)]))
    const keys = createKeys(store)
    for (const text of [odd, `_${odd}_`, `(${odd})`, `key=${odd};`, `__${odd}--`])
      expect(keys.leaked(text)).toEqual([ANN])
  })

  test('is told once a person, and each of several', async () => {
    const keys = createKeys(store)
    const [ann, ben] = [await keys.issue(ANN), await keys.issue(BEN)]
    expect([...keys.leaked(`${ann} ${ben} ${ann}${ben}`)].sort()).toEqual([ANN, BEN])
  })

  test('that is no longer valid is no leak', async () => {
    const keys = createKeys(store)
    const old = await keys.issue(ANN)
    await keys.issue(ANN)
    expect(keys.leaked(old)).toEqual([])
  })

  test.each([[''], ['hello there'], ['exoix_'], [`exoix_${'a'.repeat(43)}`], ['f'.repeat(4000)]])(
    'is not seen in %j',
    async text => {
      const keys = createKeys(store)
      await keys.issue(ANN)
      expect(keys.leaked(text)).toEqual([])
    },
  )

  test('is looked for in no more pieces than a text has characters, however hostile', () => {
    const hostile = [
      'a'.repeat(4000),
      'exoix_'.repeat(667),
      '_'.repeat(4000),
      `${'_'.repeat(2000)}a`,
      `${'f'.repeat(31)}g`.repeat(125),
      `lnyd_${'0'.repeat(32)}`.repeat(108),
      '-_'.repeat(2000),
    ]
    for (const text of hostile) expect([...keyCandidates(text)].length).toBeLessThanOrEqual(text.length)
  })

  test('is found wherever any text may put it', async () => {
    const keys = createKeys(store)
    const key = await keys.issue(ANN)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
        expect(keys.leaked(before + key + after)).toEqual([ANN])
      }),
    )
  })
})

test('keys are taken over only in a shape in which a leaked one is found again', () => {
  for (const key of [LANYARD_KEY, LATER_LANYARD_KEY, 'a'.repeat(16)]) expect(isFindableKey(key)).toBe(true)
  for (const key of ['', 'short', 'has a blank in the middle', 'a'.repeat(256), 'ünïcödeünïcöde', `${LANYARD_KEY}\n`]) {
    expect(isFindableKey(key)).toBe(false)
  }
})
