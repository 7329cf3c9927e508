import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ApiError, storageUnavailable } from '../../src/domain/errors.ts'
import { isFindableKey, visitKeyCandidates } from '../../src/domain/key-scan.ts'
import { hashKey, type KeyStore, Keys } from '../../src/domain/keys.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { createManualClock } from '../discord/clocks.ts'
import { silent } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'

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

/** The store, on a disk that is full at times. */
const sometimesFull = (full: () => boolean): KeyStore => ({
  loadKeys: () => store.loadKeys(),
  replaceKeys: (...key) => (full() ? Promise.reject(storageUnavailable()) : store.replaceKeys(...key)),
  deleteKeys: userId => (full() ? Promise.reject(storageUnavailable()) : store.deleteKeys(userId)),
})

/** Lets what the clock has started come to its end. */
const settled = () => store.deleteKeys('0')

describe('a key', () => {
  test('has a prefix, 256 random bits, and belongs to one person', async () => {
    const keys = new Keys(store)
    const ann = await issueKey(keys, ANN)
    const ben = await issueKey(keys, BEN)
    expect(ann).toMatch(/^exoix_[A-Za-z0-9_-]{43}$/)
    expect(ann).not.toBe(ben)
    expect([keys.ownerOf(hashKey(ann)), keys.ownerOf(hashKey(ben))]).toEqual([ANN, BEN])
  })

  test('is worthless as soon as the next one is made', async () => {
    const keys = new Keys(store)
    const first = await issueKey(keys, ANN)
    const second = await issueKey(keys, ANN)
    expect([keys.ownerOf(hashKey(first)), keys.ownerOf(hashKey(second))]).toEqual([undefined, ANN])
  })

  test('lives on in the next process, and its revocation too', async () => {
    const keys = new Keys(store)
    const first = await issueKey(keys, ANN)
    const second = await issueKey(keys, ANN)
    const revoked = await issueKey(keys, BEN)
    await keys.revoke(BEN)
    const next = new Keys(store)
    expect([first, second, revoked].map(key => next.ownerOf(hashKey(key)))).toEqual([undefined, ANN, undefined])
  })

  test.each(['', ' ', 'undefined', 'null', 'exoix_', '__proto__', hashKey(LANYARD_KEY)])(
    '%j is nobody’s',
    async key => {
      const keys = new Keys(store)
      await issueKey(keys, ANN)
      expect(keys.ownerOf(hashKey(key))).toBeUndefined()
    },
  )

  test('that comes from Lanyard works, beside others of the same person, until a new one is made', async () => {
    await store.importKeys(ANN, new Set([hashKey(LANYARD_KEY), hashKey(LATER_LANYARD_KEY)]))
    const keys = new Keys(store)
    expect([LANYARD_KEY, LATER_LANYARD_KEY].map(key => keys.ownerOf(hashKey(key)))).toEqual([ANN, ANN])
    await issueKey(keys, ANN)
    expect([LANYARD_KEY, LATER_LANYARD_KEY].map(key => keys.ownerOf(hashKey(key)))).toEqual([undefined, undefined])
  })

  test('that is only drafted is not valid, and leaves the old one valid, until it is activated', async () => {
    const keys = new Keys(store)
    const old = await issueKey(keys, ANN)
    const draft = keys.draft(ANN)
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([undefined, ANN])
    await draft.activate()
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([ANN, undefined])
  })

  test('that is presented is the one that works, until it is withdrawn or activated', async () => {
    const keys = new Keys(store)
    const old = await issueKey(keys, ANN)
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
    const keys = new Keys(store)
    const old = await issueKey(keys, ANN)
    const draft = keys.draft(ANN)
    draft.present()
    expect(keys.leaked(`see ${old}`)).toEqual([ANN])
    await keys.revoke(ANN)
    draft.withdraw()
    expect([keys.ownerOf(hashKey(draft.key)), keys.ownerOf(hashKey(old))]).toEqual([undefined, undefined])
  })

  test('that is revoked while it is being handed over is not activated any more', async () => {
    const keys = new Keys(store)
    await issueKey(keys, ANN)
    const draft = keys.draft(ANN)
    draft.present()
    await keys.revoke(ANN)
    await draft.activate()
    expect(keys.ownerOf(hashKey(draft.key))).toBeUndefined()
    expect([...store.loadKeys()]).toEqual([])
  })

  test('that is presented is not in the store until it is activated', async () => {
    const keys = new Keys(store)
    const old = await issueKey(keys, ANN)
    keys.draft(ANN).present()
    expect(new Keys(store).ownerOf(hashKey(old))).toBe(ANN)
  })

  test('stays valid when the new one cannot be stored', async () => {
    const keys = new Keys(broken)
    await expect(issueKey(keys, ANN)).rejects.toBeInstanceOf(ApiError)
    await issueKey(keys, ANN).catch(() => {})
    expect(keys.ownerOf(hashKey(LANYARD_KEY))).toBe(ANN)
  })

  test('is worthless at once when it is revoked, even while that cannot be stored', async () => {
    const keys = new Keys(broken)
    const revoked = keys.revoke(ANN)
    expect(keys.ownerOf(hashKey(LANYARD_KEY))).toBeUndefined()
    await expect(revoked).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  test('that was revoked while the disk refused is revoked for good as soon as it can be', async () => {
    const clock = createManualClock()
    let full = false
    const keys = new Keys(
      sometimesFull(() => full),
      { clock },
    )
    const [ann, ben] = [await issueKey(keys, ANN), await issueKey(keys, BEN)]
    full = true
    await expect(keys.revoke(ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(new Keys(store).ownerOf(hashKey(ann))).toBe(ANN)
    full = false
    clock.advance(1000)
    await settled()
    const next = new Keys(store)
    expect([ann, ben].map(key => next.ownerOf(hashKey(key)))).toEqual([undefined, BEN])
    expect(clock.pending()).toBe(0)
  })

  test('that was revoked while the disk refused is revoked for good when the process ends in order', async () => {
    let full = false
    const keys = new Keys(
      sometimesFull(() => full),
      { clock: createManualClock() },
    )
    const key = await issueKey(keys, ANN)
    full = true
    await keys.revoke(ANN).catch(() => {})
    full = false
    await keys.stop()
    expect(new Keys(store).ownerOf(hashKey(key))).toBeUndefined()
  })

  test('made after one whose revocation is still to be kept is not revoked with it', async () => {
    const clock = createManualClock()
    let full = false
    const keys = new Keys(
      sometimesFull(() => full),
      { clock },
    )
    const old = await issueKey(keys, ANN)
    full = true
    await keys.revoke(ANN).catch(() => {})
    await expect(issueKey(keys, ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
    full = false
    const made = await issueKey(keys, ANN)
    clock.advance(60_000)
    await settled()
    for (const some of [keys, new Keys(store)])
      expect([old, made].map(key => some.ownerOf(hashKey(key)))).toEqual([undefined, ANN])
  })

  test('that could not be replaced while its revocation is still to be kept is revoked all the same', async () => {
    const clock = createManualClock()
    let full = false
    const keys = new Keys(
      sometimesFull(() => full),
      { clock },
    )
    const old = await issueKey(keys, ANN)
    full = true
    await keys.revoke(ANN).catch(() => {})
    await issueKey(keys, ANN).catch(() => {})
    full = false
    clock.advance(60_000)
    await settled()
    expect(new Keys(store).ownerOf(hashKey(old))).toBeUndefined()
  })

  test('made while the old one is being revoked is revoked with it, in memory as in the store', async () => {
    const keys = new Keys(store)
    const [made] = await Promise.all([issueKey(keys, ANN), keys.revoke(ANN)])
    expect(keys.ownerOf(hashKey(made))).toBeUndefined()
    expect([...store.loadKeys()]).toEqual([])
  })
})

const moved = (letter: string, from: number, to: number) =>
  String.fromCodePoint(to + (letter.codePointAt(0) as number) - from)
/** In the forms of ASCII that are as wide as Chinese characters. */
const wide = (text: string) => text.replaceAll(/[!-~]/g, one => moved(one, 0x21, 0xff01))

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
    const keys = new Keys(store)
    expect(keys.leaked(text(await issueKey(keys, ANN)))).toEqual([ANN])
    expect(keys.leaked(text(LANYARD_KEY))).toEqual([BEN])
    expect(keys.leaked(text(LATER_LANYARD_KEY))).toEqual(['3'])
  })

  const disguises: [how: string, text: (key: string) => string][] = [
    ['with its underscores escaped', key => key.replaceAll('_', '\\_').replaceAll('-', '\\-')],
    ['with zero-width spaces', key => [...key].join('\u200b')],
    ['with soft hyphens', key => `${key.slice(0, 20)}\u00ad${key.slice(20)}`],
    ['with joiners, variation selectors and tags', key => [...key].join('\u200d\ufe0f\u{e0041}\u2060')],
    ['with a byte order mark and directions', key => `${key.slice(0, 3)}\ufeff\u202e${key.slice(3)}`],
    ['with Hangul fillers', key => `${key.slice(0, 9)}\u3164\u115f${key.slice(9)}`],
    ['struck through by marks', key => [...key].join('\u0336')],
    ['in full width', key => wide(key)],
    ['in bold letters of mathematics', key => key.replaceAll(/[A-Z]/g, one => moved(one, 0x41, 0x1d400))],
    ['in circled letters', key => key.replaceAll(/[a-z]/g, one => moved(one, 0x61, 0x24d0))],
    ['with other dashes', key => key.replaceAll('-', '\u2011')],
    ['in upper and lower marks of markdown', key => `**${key.slice(0, 12)}**~~${key.slice(12, 30)}~~${key.slice(30)}`],
    ['over two lines', key => `${key.slice(0, 30)}\n${key.slice(30)}`],
    ['letter by letter', key => [...key].join(' ')],
    ['percent-encoded', key => key.replaceAll('_', '%5F').replaceAll('-', '%2d')],
    ['without its prefix', key => key.replace(/^(exoix|lnyd)_/, '')],
    ['without its prefix, in a sentence', key => `take ${key.replace(/^(exoix|lnyd)_/, '')}, it works`],
    ['without its prefix, between letters', key => `abc${key.replace(/^(exoix|lnyd)_/, '')}xyz`],
    ['with its prefix in capitals', key => key.replace('exoix', 'EXOIX')],
    ['without its prefix, in full width', key => wide(key.replace(/^exoix_/, ''))],
  ]

  test.each(disguises)('is found %s', async (_, text) => {
    const keys = new Keys(store)
    const [ann, ben] = [await issueKey(keys, ANN), await issueKey(keys, BEN)]
    expect(keys.leaked(`look: ${text(ann)} !`)).toEqual([ANN])
    expect(keys.leaked(text(ben))).toEqual([BEN])
  })

  test('from Lanyard is found without its prefix and broken up, too', async () => {
    await store.importKeys(ANN, new Set([hashKey(LATER_LANYARD_KEY)]))
    const keys = new Keys(store)
    for (const text of [
      LATER_LANYARD_KEY.slice(5),
      `\`${LATER_LANYARD_KEY.slice(5)}\``,
      [...LATER_LANYARD_KEY].join('\u200b'),
    ])
      expect(keys.leaked(text)).toEqual([ANN])
  })

  test('is found in a text of megabytes as a word, and behind its prefix anywhere', async () => {
    const keys = new Keys(store)
    const key = await issueKey(keys, ANN)
    const much = 'lorem ipsum '.repeat(100_000)
    for (const piece of [`x${key}y`, ` ${key.slice(6)} `, [...key].join('\u200b')])
      expect(keys.leaked(much + piece + much)).toEqual([ANN])
  })

  test('of some other shape is found as a word of its own', async () => {
    const odd = 'My-own_key-of-2019'
    await store.importKeys(ANN, new Set([hashKey(odd)]))
    const keys = new Keys(store)
    for (const text of [odd, `_${odd}_`, `(${odd})`, `key=${odd};`, `__${odd}--`])
      expect(keys.leaked(text)).toEqual([ANN])
  })

  test('is told once a person, and each of several', async () => {
    const keys = new Keys(store)
    const [ann, ben] = [await issueKey(keys, ANN), await issueKey(keys, BEN)]
    expect([...keys.leaked(`${ann} ${ben} ${ann}${ben}`)].sort()).toEqual([ANN, BEN])
  })

  test('that is no longer valid is no leak', async () => {
    const keys = new Keys(store)
    const old = await issueKey(keys, ANN)
    await issueKey(keys, ANN)
    expect(keys.leaked(old)).toEqual([])
  })

  test.each([[''], ['hello there'], ['exoix_'], [`exoix_${'a'.repeat(43)}`], ['f'.repeat(4000)]])(
    'is not seen in %j',
    async text => {
      const keys = new Keys(store)
      await issueKey(keys, ANN)
      expect(keys.leaked(text)).toEqual([])
    },
  )

  test('is looked for in so many pieces only, however hostile a text is', () => {
    const hostile = [
      'a'.repeat(4000),
      'exoix_'.repeat(667),
      '_'.repeat(4000),
      `${'_'.repeat(2000)}a`,
      `${'f'.repeat(31)}g`.repeat(125),
      `lnyd_${'0'.repeat(32)}`.repeat(108),
      '-_'.repeat(2000),
    ]
    const piecesOf = (text: string) => {
      let pieces = 0
      visitKeyCandidates(text, () => pieces++)
      return pieces
    }
    for (const text of hostile) {
      expect(piecesOf(text)).toBeLessThanOrEqual(3 * text.length)
      expect(piecesOf(text.repeat(20))).toBeLessThanOrEqual((text.length * 20) / 8)
    }
  })

  test('is found wherever any text may put it', async () => {
    const keys = new Keys(store)
    const key = await issueKey(keys, ANN)
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
