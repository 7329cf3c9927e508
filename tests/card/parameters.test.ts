import { describe, expect, test } from 'bun:test'
import { ADA } from '../http/harness.ts'
import { GAME, HASH, inspect, MOOD, SONG, startCards, startHost } from './support.ts'

/** Told by the minute: cards that are drawn one after the other tell the same. */
const START = Date.now() - 90_000
/** Somebody on whom every parameter shows. */
const LOOKS = {
  avatar: `a_${HASH}`,
  banner: `a_${HASH}`,
  bot: true,
  discriminator: '1234',
  display_name_styles: { font_id: 3, effect_id: 2, colors: [0xff0000, 0x00ff00] },
  collectibles: { nameplate: { asset: 'nameplates/nameplates/cityscape/', palette: 'crimson' } },
}
const ACTIVITIES = [MOOD, { ...GAME, timestamps: { start: START } }, SONG]

/** A right value for each parameter, and what else has to be asked for to see it. */
const RIGHT: Readonly<Record<string, readonly [value: string, beside?: string]>> = {
  bg: ['1e2030'],
  borderRadius: ['30px'],
  animated: ['false'],
  animatedDecoration: ['false'],
  idleMessage: ['Away', 'ignoreAppId=901&hideSpotify=true'],
  showDisplayName: ['false'],
  gradient: ['645cbb-a084dc', 'forceGradient=true'],
  forceGradient: ['true', 'gradient=645cbb-a084dc'],
  waveColor: ['7289da'],
  waveSpotifyColor: ['1db954-light'],
  animationDuration: ['3s', 'waveColor=7289da'],
  imgStyle: ['square'],
  imgBorderRadius: ['20px'],
  showBanner: ['true'],
  bannerFilter: ['brightness(0.5) blur(2px)', 'showBanner=true'],
  hideStatus: ['true'],
  hideTimestamp: ['true'],
  hideBadges: ['true'],
  hideProfile: ['true'],
  hideActivity: ['true'],
  hideSpotify: ['true'],
  hideDiscrim: ['true'],
  hideDecoration: ['true'],
  hideNameplate: ['true'],
  hideTag: ['true'],
  clanBackgroundColor: ['5865f2'],
  ignoreAppId: ['901'],
}

/** The same parameter by its other name. */
const ALIASES = { useDisplayName: 'showDisplayName', clanbg: 'clanBackgroundColor', hideClan: 'hideTag' } as const

const WRONG = [
  ...[
    'theme=x',
    'theme=constructor',
    'theme=',
    'bg=zzzzzz',
    'bg=12345',
    'bg=%23fff',
    'borderRadius=-1',
    'borderRadius=1e3',
  ],
  ...[
    'gradient=zz',
    'gradient=ff0000-',
    'gradient=f00--0f0',
    'forceGradient=yes',
    'waveColor=zz',
    'waveColor=f00-blue',
  ],
  ...[
    'waveSpotifyColor=-light',
    'animationDuration=-1s',
    'animationDuration=x',
    'imgStyle=triangle',
    'imgBorderRadius=x',
  ],
  ...['showBanner=yes', 'showBanner=', 'bannerFilter=url(x)', 'bannerFilter=blur(', 'bannerFilter=blur(2px);x'],
  ...['hideNameplate=1', 'hideClan=1', 'clanbg=zz', 'useDisplayName=1', 'animatedDecoration=0', 'hideProfile=no'],
  ...[
    'hideActivity=maybe',
    'ignoreAppId=x',
    'idleMessage=',
    'idleMessage=%00',
    'animated=nope',
    'unknown=1',
    '__proto__=1',
  ],
]

function start(host: ReturnType<typeof startHost>) {
  const server = startCards(host)
  server.show(ACTIVITIES, LOOKS)
  return server
}

describe('every parameter of a card', () => {
  test('that the API document has is in the table below', async () => {
    await using host = startHost()
    await using server = start(host)
    const document = (await (await server.get('/swagger/json')).json()) as ApiDocument
    const named = document.paths['/v1/users/{id}/card.svg']?.get.parameters.filter(({ in: place }) => place === 'query')
    expect(named?.map(({ name }) => name).toSorted()).toEqual(['theme', ...Object.keys(RIGHT)].toSorted())
  })

  for (const theme of ['dark', 'light']) {
    test.each(Object.entries(RIGHT))(`changes the ${theme} picture: %s`, async (name, [value, beside = '']) => {
      await using host = startHost()
      await using server = start(host)
      const query = `theme=${theme}&${beside}`
      const [before, after] = [
        await server.card(query),
        await server.card(`${query}&${name}=${encodeURIComponent(value)}`),
      ]
      expect(after).not.toBe(before)
      expect(() => inspect(after)).not.toThrow()
    })
  }

  test.each(Object.entries(ALIASES))('%s is the same as %s', async (alias, name) => {
    await using host = startHost()
    await using server = start(host)
    const value = RIGHT[name]?.[0]
    expect(await server.card(`animated=false&${alias}=${value}`)).toBe(
      await server.card(`animated=false&${name}=${value}`),
    )
  })

  test('with a value that is wrong counts as not given, and draws the same card byte for byte', async () => {
    await using host = startHost()
    await using server = start(host)
    const usual = await server.card()
    for (const query of WRONG) expect([query, (await server.card(query)) === usual]).toEqual([query, true])
  })

  test('every theme has colours of its own, and auto follows the reader’s system', async () => {
    await using host = startHost()
    await using server = start(host)
    const themes = [
      'dark',
      'light',
      'dracula',
      'nord',
      'github-dark',
      'github-light',
      'catppuccin',
      'tokyo-night',
      'auto',
    ]
    const cards = await Promise.all(themes.map(theme => server.card(`theme=${theme}`)))
    expect(new Set(cards).size).toBe(themes.length)
    expect(cards.at(-1)).toContain('prefers-color-scheme')
  })

  test('that leaves out profile and activity leaves a card of who is there', async () => {
    await using host = startHost()
    await using server = start(host)
    const { texts } = inspect(await server.card('hideProfile=true&hideActivity=true'))
    expect(texts).toEqual(['Ada Lovelace is online'])
    expect((await server.get(`/api/${ADA}?hideProfile=true&hideActivity=true`)).status).toBe(200)
  })
})

interface ApiDocument {
  readonly paths: Readonly<Record<string, { readonly get: { readonly parameters: { name: string; in: string }[] } }>>
}
