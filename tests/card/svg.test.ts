import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { drawCard, drawNotMonitored, drawStarting } from '../../src/card/card.ts'
import type { CardImages } from '../../src/card/card-images.ts'
import { readModel } from '../../src/card/model.ts'
import { readOptions } from '../../src/card/options.ts'
import { applyPresence, type JsonObject, OFFLINE, readUser } from '../../src/domain/presence.ts'
import { GAME, inspect, MOOD, SONG, USER } from './support.ts'

const NOW = 1_767_225_600_000
const MINUTE = 60_000

interface Scene {
  user?: JsonObject
  activities?: readonly unknown[]
  presence?: JsonObject
  query?: string
  lastSeenAt?: number
  pictures?: CardImages
}

function draw({
  user = {},
  activities = [],
  presence = {},
  query = '',
  lastSeenAt,
  pictures = { rows: [] },
}: Scene): string {
  const options = readOptions(query)
  const person = {
    user: readUser({ ...USER, ...user }) ?? '',
    presence: applyPresence(OFFLINE, { status: 'online', activities, ...presence }),
    lastSeenAt: lastSeenAt ?? null,
  }
  return drawCard(readModel(person, options, NOW), pictures, options, NOW)
}

const texts = (scene: Scene) => inspect(draw(scene)).texts
const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' as const

describe('the looks of a card', () => {
  const GRADIENT = /<linearGradient id="name">.*?<\/linearGradient>/
  const stops = (card: string) =>
    [...(GRADIENT.exec(card)?.[0] ?? '').matchAll(/stop-color="(#\w+)"/g)].map(found => found[1])
  const STYLED = { display_name_styles: { font_id: 12, effect_id: 2, colors: [0xff0000, 0x0000ff] } }

  test('are those of a theme, each with a ground and words of its own', () => {
    const themes = ['dark', 'light', 'dracula', 'nord', 'github-dark', 'github-light', 'catppuccin', 'tokyo-night']
    const grounds = themes.map(
      theme => /<rect width="410"[^>]* fill="(#\w{6})"/.exec(draw({ query: `theme=${theme}` }))?.[1],
    )
    expect(grounds).toEqual(['#16171c', '#ffffff', '#282a36', '#2e3440', '#0d1117', '#ffffff', '#1e1e2e', '#1a1b26'])
    expect(new Set(themes.map(theme => draw({ query: `theme=${theme}` }))).size).toBe(themes.length)
  })

  test('follow the system of whoever looks, where that is wanted and no ground is', () => {
    const card = draw({ query: 'theme=auto' })
    expect(card).toContain('<style>@media (prefers-color-scheme:light){svg{--background:#ffffff;')
    expect(card).toContain('fill="var(--strong,#f4f5f7)"')
    expect(draw({ query: 'theme=auto&bg=ffffff' })).toBe(draw({ query: 'bg=ffffff' }))
    expect(draw({ query: 'theme=auto&bg=101010' })).toBe(draw({ query: 'bg=101010' }))
  })

  test('have the name in the colours its owner chose, else in those that were asked for', () => {
    expect(stops(draw({ user: STYLED }))).toEqual(['#ff0000', '#0000ff'])
    expect(stops(draw({ query: 'gradient=00ff00-123' }))).toEqual(['#00ff00', '#112233'])
    expect(stops(draw({ user: STYLED, query: 'gradient=00ff00-123' }))).toEqual(['#ff0000', '#0000ff'])
    expect(stops(draw({ user: STYLED, query: 'gradient=00ff00-123&forceGradient=true' }))).toEqual([
      '#00ff00',
      '#112233',
    ])
    expect(stops(draw({ query: 'gradient=00ff00' }))).toEqual([])
    expect(draw({ query: 'gradient=00ff00' })).toContain('fill="#00ff00"')
  })

  test('know every effect of a name, and write it once more behind where there is one', () => {
    const names = [1, 2, 3, 4, 5, 6].map(effect_id => {
      const { texts } = inspect(draw({ user: { display_name_styles: { effect_id, colors: [0x12ab34, 0xffffff] } } }))
      return texts.filter(text => text === 'Ada Lovelace').length
    })
    expect(names).toEqual([1, 1, 2, 2, 2, 2])
  })

  test.each<[string, unknown]>([
    ['no object', 'bold'],
    ['an unknown effect', { effect_id: 99, colors: [1] }],
    ['no colours', { effect_id: 1, colors: [] }],
    ['colours that are none', { effect_id: 1, colors: ['red', -1, 0x1000000, 1.5, null] }],
    ['colours in no list', { effect_id: 1, colors: { 0: 1 } }],
  ])('do not depend on a name style that is %s', (_, display_name_styles) => {
    expect(draw({ user: { display_name_styles } })).toBe(draw({}))
  })

  test('have a nameplate, unless it is hidden, and only one that is a plate', () => {
    const collectibles = { nameplate: { asset: 'nameplates/a/b/', palette: 'cobalt' } }
    const card = draw({ user: { collectibles }, pictures: { nameplate: PIXEL, rows: [] } })
    expect(card).toContain('stop-color="#1f3fb8"')
    expect(inspect(card).images).toEqual([PIXEL])
    expect(draw({ user: { collectibles }, query: 'hideNameplate=true' })).toBe(draw({}))
    expect(draw({ user: { collectibles: { nameplate: { asset: 'x/', palette: 'toString' } } } })).toContain('#5a606c')
    for (const nameplate of [null, 'plate', { palette: 'cobalt' }]) {
      expect(draw({ user: { collectibles: { nameplate } } })).toBe(draw({}))
    }
  })

  test('have a banner where it is wanted, filtered, and the chosen colour where there is none', () => {
    const pictures = { banner: PIXEL, rows: [] } as const
    const query = 'showBanner=true&bannerFilter=blur(2px)'
    expect(draw({ pictures, query })).toContain('style="filter:blur(2px)"')
    expect(inspect(draw({ pictures, query })).images).toEqual([PIXEL])
    expect(draw({ user: { accent_color: 0x2a9d8f }, query })).toContain('fill="#2a9d8f"')
    expect(draw({ user: { accent_color: 0x2a9d8f } })).toBe(draw({}))
    for (const accent_color of [null, -1, 'red', 0x1000000]) {
      expect(draw({ user: { accent_color }, query })).toBe(draw({ query: 'showBanner=true' }))
    }
  })

  test('have waves behind an activity and behind Spotify, each in its colour and pace', () => {
    const activities = [GAME, SONG]
    const paces = (query: string) =>
      [...draw({ activities, query }).matchAll(/dur="([\d.]+)s" repeatCount="indefinite"/g)].map(found =>
        Number(found[1]),
      )
    expect(draw({ activities, query: 'waveColor=7289da' })).toContain('fill="#7289da"')
    expect(paces('waveColor=7289da')).toEqual([8, 5.6])
    expect(paces('waveColor=7289da&waveSpotifyColor=1db954&animationDuration=4s')).toEqual([4, 2.8, 4, 2.8])
    expect(paces('waveColor=7289da&animationDuration=0s')).toEqual([])
    expect(paces('waveColor=7289da&animated=false')).toEqual([])
    expect(draw({ activities, query: 'waveColor=transparent' })).toBe(draw({ activities }))
    expect(draw({ activities: [SONG], query: 'waveSpotifyColor=ffd1dc-light' })).toContain('fill="#16181d"')
  })

  test('have a square avatar, as round as pictures are to be', () => {
    expect(draw({ query: 'imgStyle=square&imgBorderRadius=10px' })).toContain('height="72" rx="10"/></clipPath>')
    expect(draw({ activities: [GAME], query: 'imgBorderRadius=3px' })).toContain('height="64" rx="3"')
  })

  test('say who is there where neither profile nor activities are wanted', () => {
    const scene = { activities: [GAME], query: 'hideProfile=true&hideActivity=true' }
    expect(texts(scene)).toEqual(['Ada Lovelace is online'])
    expect(texts({ ...scene, presence: { status: 'dnd' } })).toEqual(['Ada Lovelace is do not disturb'])
  })
})

describe('a card', () => {
  test('tells names, tag, custom status, what somebody plays and what they listen to', () => {
    expect(texts({ activities: [MOOD, GAME, SONG] })).toEqual([
      ...['A', 'Ada Lovelace', 'ENGN', '@ada', ':moss: deep work'],
      ...['L', 'Playing', 'Lumen Drift', 'Ranked', 'In a lobby'],
      ...['♪', 'Listening to Spotify', 'Paper Lanterns', 'Hollow Coast, Mira Vance'],
    ])
  })

  test('shows the pictures it is given instead of what stands in for them', () => {
    const pictures = {
      avatar: PIXEL,
      decoration: PIXEL,
      tagBadge: PIXEL,
      emoji: PIXEL,
      rows: [{ large: PIXEL, small: PIXEL }, { large: PIXEL }],
    }
    const { images, texts } = inspect(draw({ activities: [MOOD, GAME, SONG], pictures }))
    expect(images).toHaveLength(7)
    expect(texts).toContain('deep work')
    expect(texts).not.toContain('♪')
  })

  test.each<[string, Scene, readonly string[]]>([
    ['only the user name', { query: 'showDisplayName=false' }, ['ada']],
    ['a bot’s number', { user: { bot: true, discriminator: '4711' } }, ['@ada#4711', 'BOT']],
    ['no number when asked not to', { user: { discriminator: '4711' }, query: 'hideDiscrim=true' }, ['@ada']],
    ['no number that is none', { user: { discriminator: { toString: '' } } }, ['@ada']],
    [
      'a game whose application is none',
      { activities: [{ type: 0, name: 'Chess', application_id: { toString: '' } }] },
      ['Chess'],
    ],
    ['what is said of nothing', {}, ['Not doing anything right now']],
    ['that somebody is away', { presence: { status: 'offline' } }, ['Offline']],
    [
      'for how long somebody has been away',
      { presence: { status: 'offline' }, lastSeenAt: NOW - 50 * 60 * MINUTE },
      ['Last seen 2 d 2 h ago'],
    ],
    [
      'nothing of when that was if it is not to be told',
      { presence: { status: 'offline' }, lastSeenAt: NOW - MINUTE, query: 'hideTimestamp=true' },
      ['Offline'],
    ],
    ['what somebody wants said of nothing', { query: 'idleMessage=Asleep' }, ['Asleep']],
    [
      'what a stream is about',
      { activities: [GAME, { type: 1, name: 'Twitch', details: 'Speedrun', state: 'Chess' }] },
      ['Streaming on Twitch', 'Speedrun', 'Chess'],
    ],
    [
      'a film by its title',
      { activities: [{ type: 3, name: 'Streambox', details: 'Trains' }] },
      ['Watching Streambox', 'Trains'],
    ],
    ['how many play', { activities: [{ ...GAME, party: { size: [2, 4] } }] }, ['In a lobby (2 of 4)']],
    ['for how long', { activities: [{ ...GAME, timestamps: { start: NOW - 83 * MINUTE } }] }, ['for 1 h 23 min']],
    [
      'how far a song is',
      { activities: [{ ...SONG, timestamps: { start: NOW - 83_000, end: NOW + 104_000 } }], query: 'animated=false' },
      ['1:23', '3:07'],
    ],
    ['the emoji of a status that is nothing else', { activities: [{ type: 4, emoji: { name: '🌱' } }] }, ['🌱']],
  ])('tells %s', (_, scene, expected) => {
    expect(texts(scene)).toEqual(expect.arrayContaining([...expected]))
  })

  test.each<[string, Scene, readonly (string | RegExp)[]]>([
    ['the custom status', { query: 'hideStatus=true' }, [/deep work/]],
    ['times', { query: 'hideTimestamp=true' }, [/for |\d:\d\d/]],
    ['the profile', { query: 'hideProfile=true' }, ['Ada Lovelace', 'ENGN', '@ada']],
    ['what somebody does', { query: 'hideActivity=true' }, [/Playing|Listening|Not doing/]],
    ['Spotify', { query: 'hideSpotify=true' }, [/Spotify|Paper/]],
    ['the tag', { query: 'hideTag=true' }, ['ENGN']],
    ['an application', { query: 'ignoreAppId=5,901' }, [/Lumen/]],
    [
      'the tag somebody took off',
      { user: { primary_guild: { ...USER.primary_guild, identity_enabled: false } } },
      ['ENGN'],
    ],
  ])('leaves out %s', (_, { query, user }, left) => {
    const timestamps = { start: NOW - MINUTE, end: NOW + MINUTE }
    const activities = [MOOD, { ...GAME, timestamps: { start: NOW - MINUTE } }, { ...SONG, timestamps }]
    const all = texts({ activities })
    const some = texts({ activities, query, user })
    for (const pattern of left) {
      const has = (list: readonly string[]) =>
        list.some(text => (typeof pattern === 'string' ? text === pattern : pattern.test(text)))
      expect(has(all)).toBe(true)
      expect(has(some)).toBe(false)
    }
  })

  test('has no empty room for activities when they are shown only when there are any', () => {
    const quiet = draw({ query: 'hideActivity=whenNotUsed' })
    expect(inspect(quiet).height).toBeLessThan(inspect(draw({})).height)
    expect(texts({ query: 'hideActivity=whenNotUsed', activities: [GAME] })).toContain('Lumen Drift')
  })

  test('has badges for public flags, however many bits they have, and none when asked not to', () => {
    const named = (flags: unknown, query = '') =>
      draw({ user: { public_flags: flags }, query }).match(/<title>HypeSquad Bravery/)
    expect(named(64)).not.toBeNull()
    expect(named(2 ** 50 + 64)).not.toBeNull()
    expect(named(64, 'hideBadges=true')).toBeNull()
    expect(named(0)).toBeNull()
    expect(named(-64)).toBeNull()
    expect(named('64')).toBeNull()
  })

  test('moves on by itself unless it is to stand still, and no further than the end', () => {
    const song = { ...SONG, timestamps: { start: NOW - 83_000, end: NOW + 104_000 } }
    expect(draw({ activities: [song] })).toContain('<animate ')
    expect(draw({ activities: [song], query: 'animated=false' })).not.toContain('<animate')
    const over = { ...SONG, timestamps: { start: NOW - 83_000, end: NOW - 1000 } }
    expect(draw({ activities: [over] })).not.toContain('<animate')
    expect(texts({ activities: [over] })).toContain('1:22')
  })

  test('tells the status by its shape, not by its colour alone', () => {
    const shape = (status: string, client_status = { desktop: status }) =>
      / transform="translate\(86 80\)" d="([^"]+)"/.exec(draw({ presence: { status, client_status } }))?.[1]
    const shapes = ['online', 'idle', 'dnd', 'offline'].map(status => shape(status))
    expect(new Set(shapes).size).toBe(4)
    expect(shapes).not.toContain(undefined)
  })
})

const ATTACKS = [
  '"><script>alert(1)</script>',
  "' onload='alert(1)",
  '</style><script>alert(1)</script>',
  '</text></svg><svg onload="alert(1)">',
  '</title><image href="https://evil.example/x.png"/>',
  'url(https://evil.example)',
  '&xxe; &#60;script&#62; &amp; <!ENTITY x SYSTEM "file:///etc/passwd">',
  ']]><![CDATA[ <?xml version="1.0"?> <!-- -->',
  'nul \0, bell \x07, escape \x1b, \ufffe\uffff, lone \ud800',
  '\u202eevil\u202c \u2066x\u2069',
  "$& $1 $` $' {{x}} %s \\u0000",
  'javascript:alert(1)',
  'Z̸̛̟̪͎̗̳ͣͦa̷̠̽l̶̛g̵o'.repeat(20),
  '﷽'.repeat(50),
  '👩‍👩‍👧‍👦'.repeat(50),
  'x'.repeat(1_000_000),
]

/** Every text of a card said by an attacker. */
function hostile(text: string): Scene {
  const activity = { name: text, details: text, state: text, application_id: text, url: text, id: text }
  const assets = { large_image: text, small_image: text, large_text: text }
  return {
    user: {
      username: text,
      global_name: text,
      avatar: text,
      discriminator: text,
      primary_guild: { tag: text, badge: text, identity_enabled: true, identity_guild_id: text },
      avatar_decoration_data: { asset: text },
    },
    activities: [
      { type: 4, name: text, state: text, emoji: { name: text, id: text } },
      { ...activity, type: 0, assets },
      { ...activity, type: 2, id: 'spotify:1', assets: { large_image: `spotify:${text}` } },
    ],
  }
}

describe('a card about attackers', () => {
  test.each(ATTACKS)('is still one when everything is %j', text => {
    const names = ['idleMessage', 'bg', 'theme', 'borderRadius', 'clanBackgroundColor', 'ignoreAppId', 'hideActivity']
    const query = new URLSearchParams(Object.fromEntries(names.map(name => [name, text]))).toString()
    const card = draw({ ...hostile(text), query })
    const shown = inspect(card).texts
    expect(shown.length).toBeGreaterThan(8)
    expect(inspect(draw({ ...hostile(text), activities: [], query })).texts.length).toBeGreaterThan(2)
    expect(card.length).toBeLessThan(40_000)
    expect(inspect(drawNotMonitored(readOptions(query), text.slice(0, 5000))).texts).toHaveLength(3)
    expect(inspect(drawStarting(readOptions(query))).texts).toHaveLength(3)
  })

  test('shows words as they are, whatever they would mean elsewhere', () => {
    expect(texts({ user: { global_name: '<b>&amp;"\'' } })).toContain('<b>&amp;"\'')
    expect(texts({ query: `idleMessage=${encodeURIComponent(']]> & <i>')}` })).toContain(']]> & <i>')
  })

  test('is well-formed and loads nothing, whatever Discord and the query say', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(...ATTACKS.slice(0, 12)),
    )
    const value: fc.Arbitrary<unknown> = fc.oneof(
      text,
      fc.integer(),
      fc.double(),
      fc.constant(null),
      fc.boolean(),
      fc.array(text),
      fc.dictionary(text, text),
    )
    const keys = fc.constantFrom(
      'type',
      'id',
      'name',
      'details',
      'state',
      'emoji',
      'assets',
      'party',
      'timestamps',
      'application_id',
      'url',
    )
    const times = fc.record({
      start: fc.oneof(fc.double(), fc.integer(), value),
      end: fc.oneof(fc.double(), fc.integer(), value),
    })
    const activity = fc.record(
      {
        type: fc.oneof(fc.integer({ min: 0, max: 6 }), value),
        id: fc.oneof(fc.constant('spotify:1'), value),
        name: value,
        details: value,
        state: value,
        timestamps: fc.oneof(times, value),
        party: fc.oneof(fc.record({ size: fc.array(fc.oneof(fc.double(), fc.integer())) }), value),
        assets: fc.oneof(fc.dictionary(fc.constantFrom('large_image', 'small_image'), value), value),
        emoji: fc.oneof(fc.record({ id: value, name: value, animated: value }), value),
      },
      { requiredKeys: [] },
    )
    const names = [
      'username',
      'global_name',
      'discriminator',
      'avatar',
      'public_flags',
      'primary_guild',
      'clan',
      'bot',
      'avatar_decoration_data',
    ]
    const user = fc.dictionary(fc.constantFrom(...names), value)
    const query = fc.array(
      fc.tuple(
        fc.constantFrom(
          'theme',
          'bg',
          'borderRadius',
          'idleMessage',
          'clanBackgroundColor',
          'hideActivity',
          'animated',
        ),
        text,
      ),
    )
    const odd = fc.dictionary(keys, value)
    fc.assert(
      fc.property(user, fc.array(fc.oneof(activity, odd)), query, (user, activities, pairs) => {
        const card = draw({ user, activities, query: new URLSearchParams(pairs).toString() })
        expect(inspect(card).height).toBeGreaterThan(0)
        expect(card).not.toMatch(/NaN|Infinity|undefined="/)
      }),
      { numRuns: 500 },
    )
  })
})
