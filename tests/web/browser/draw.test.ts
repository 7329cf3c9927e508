import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Pictures } from '../../../src/domain/discord-cdn.ts'
import type { JsonObject } from '../../../src/domain/presence.ts'
import { createRandom } from '../../../src/simulator/random.ts'
import { draw, moves } from '../../../src/web/browser/draw.ts'
import type { Child, Description } from '../../../src/web/browser/nodes.ts'
import { createMutator } from '../../drills/support/fuzz/mutate.ts'
import { ADA } from '../../http/harness.ts'

const HOSTS = {
  discordCdnUrl: 'https://cdn.example',
  discordMediaUrl: 'https://media.example',
  spotifyCdnUrl: 'https://covers.example',
}
const NOW = 1_800_000_000_000

function look(
  presence: JsonObject,
  options: { show?: string[]; hide?: string[]; broken?: string[]; still?: boolean; layout?: string } = {},
) {
  const { show = [], hide = [], broken = [], still = true, layout } = options
  const tree = draw(
    presence,
    {
      now: NOW,
      pictures: new Pictures(HOSTS),
      still,
      icon: id => `https://icons.example/${id}.png`,
      shows: name => (name === 'kv' ? show.includes('kv') : !hide.includes(name)),
      broken: address => broken.includes(address),
    },
    layout,
  )
  const nodes = flat(tree)
  return {
    nodes,
    text: texts(tree).join(''),
    images: nodes.filter(node => node.tag === 'img').map(node => String(node.attributes.src)),
  }
}

const flat = (node: Description): Description[] => [
  node,
  ...node.children.flatMap(child => (typeof child === 'string' ? [] : flat(child))),
]
const texts = (node: Description): string[] =>
  node.children.flatMap((child: Child) => (typeof child === 'string' ? [child] : texts(child)))

const song = {
  id: 'spotify:1',
  type: 2,
  name: 'Spotify',
  details: 'Paper Boats',
  state: 'Ada, Grace',
  assets: { large_text: 'Harbour', large_image: 'spotify:ab67616d0000b273' },
  timestamps: { start: NOW - 61_000, end: NOW + 60_000 },
}
const game = {
  type: 0,
  name: 'Chess',
  details: 'Endgame',
  state: 'In a lobby',
  party: { size: [2, 4] },
  application_id: '9',
  assets: { large_image: '123', small_image: 'mp:external/abc/https/example.org/x.png', small_text: 'Rook' },
  timestamps: { start: NOW - 3_600_000 },
}
const whole = {
  kv: { location: 'Oslo' },
  discord_user: {
    id: ADA,
    username: 'ada',
    global_name: 'Ada',
    avatar: 'a'.repeat(32),
    avatar_decoration_data: { asset: `a_${'b'.repeat(32)}` },
    primary_guild: { tag: 'SHIP', identity_guild_id: '7', identity_enabled: true, badge: 'c'.repeat(32) },
  },
  discord_status: 'dnd',
  active_on_discord_desktop: true,
  active_on_discord_mobile: true,
  spotify: {},
  activities: [{ type: 4, name: 'Custom Status', state: 'at sea', emoji: { name: 'wave', id: '5' } }, song, game],
}

describe('what <discord-presence> shows', () => {
  test('is the person, their status, and what they do', () => {
    const { text, images } = look(whole)
    for (const shown of [
      'Ada',
      '@ada',
      'SHIP',
      'Do not disturb on desktop and phone',
      'at sea',
      'Listening to Spotify',
      'Paper Boats',
      'Ada, Grace',
      '1:01',
      '2:01',
      'PlayingChess',
      'Endgame',
      'In a lobby (2 of 4)',
      'for 1:00:00',
    ])
      expect(text).toContain(shown)
    expect(text).not.toContain('Oslo')
    expect(images).toEqual([
      `https://cdn.example/avatars/${ADA}/${'a'.repeat(32)}.webp?size=256`,
      `https://cdn.example/avatar-decoration-presets/a_${'b'.repeat(32)}.png?size=128&passthrough=false`,
      `https://cdn.example/guild-tag-badges/7/${'c'.repeat(32)}.png?size=32`,
      'https://cdn.example/emojis/5.webp?size=64',
      'https://covers.example/image/ab67616d0000b273',
      'https://cdn.example/app-assets/9/123.png?size=128',
      'https://media.example/external/abc/https/example.org/x.png?width=128&height=128',
    ])
  })

  test.each([
    ['avatar', '/avatars/'],
    ['decoration', 'avatar-decoration-presets'],
    ['tag', 'SHIP'],
    ['platforms', 'on desktop'],
    ['custom', 'at sea'],
    ['spotify', 'Paper Boats'],
    ['activities', 'Chess'],
  ])('leaves out %s when asked to', (name, gone) => {
    const seen = (hide: string[]) => JSON.stringify(look(whole, { hide }).nodes)
    expect(seen([])).toContain(gone)
    expect(seen([name])).not.toContain(gone)
  })

  test('has the pairs when asked to, cut where nobody would read on', () => {
    const kv = Object.fromEntries(Array.from({ length: 512 }, (_, index) => [`key${index}`, 'x'.repeat(30_000)]))
    const { text } = look({ ...whole, kv: { location: 'Oslo', ...kv } }, { show: ['kv'] })
    expect(text).toContain('Oslo')
    expect(text).toContain('and 413 more pairs')
    expect(text.length).toBeLessThan(60_000)
  })

  test('tells when somebody was last seen while they are offline', () => {
    const offline = { discord_user: { id: ADA }, discord_status: 'offline', activities: [] }
    expect(look({ ...offline, last_seen_at: NOW - 125_000 }).text).toContain('last seen 2 min ago')
    expect(look({ ...whole, last_seen_at: NOW - 125_000 }).text).not.toContain('last seen')
    for (const last_seen_at of [undefined, null, 'x', 1e300])
      expect(look({ ...offline, last_seen_at }).text).not.toContain('last')
  })

  test('puts a letter or a note where a picture is missing or broken', () => {
    const broken = look(whole).images
    const { images, text } = look(whole, { broken })
    expect(images).toEqual([])
    for (const standIn of ['A', '♪', 'C', ':wave:']) expect(text).toContain(standIn)
  })

  test.each([
    'https://evil.example/x.png',
    'mp:external/../../x',
    'mp:external/%2e%2e/x',
    'mp://evil.example/x',
    'spotify:../x',
    'spotify:',
    'javascript:alert(1)',
    '//evil.example',
    'data:image/png,x',
    '12a',
  ])('has no picture for art of no known form: %s', large_image => {
    const images = look({
      activities: [{ name: 'x', application_id: '9', assets: { large_image, small_image: large_image } }],
    }).images
    expect(images).toEqual([expect.stringMatching(/^https:\/\/cdn\.example\/embed\/avatars\/[0-5]\.png$/)])
  })

  test('has pictures that move, unless nothing is to move', () => {
    const user = { ...whole.discord_user, avatar: `a_${'b'.repeat(32)}` }
    const activities = [{ type: 4, emoji: { name: 'wave', id: '5', animated: true } }]
    const moving = (still: boolean) =>
      look({ ...whole, discord_user: user, activities }, { still }).images.filter(image => /=true/.test(image))
    expect(moving(true)).toEqual([])
    expect(moving(false)).toEqual([
      `https://cdn.example/avatars/${ADA}/a_${'b'.repeat(32)}.webp?size=256&animated=true`,
      `https://cdn.example/avatar-decoration-presets/a_${'b'.repeat(32)}.png?size=128&passthrough=true`,
      'https://cdn.example/emojis/5.webp?size=64&animated=true',
    ])
  })

  test.each([
    [{ timestamps: { start: 0 } }, /PlayingChessEndgame/, /for/],
    [{ timestamps: { start: `${NOW - 61_000}` } }, /for 1:01/, /left/],
    [{ timestamps: { end: NOW + 61_000 } }, /1:01 left/, /for/],
    [{ timestamps: { start: `${NOW - 1000}`, end: NOW + 1000 } }, /0:010:02/, /left|for/],
    [{ type: 6, name: 'Hang Status', state: 'brb' }, /Hanging outGonna BRB/, /Chess/],
    [{ type: 42 }, /DoingChess/, /undefined/],
  ])('tells %j as cards do', (activity, told, untold) => {
    const { text } = look({ activities: [{ type: 0, name: 'Chess', details: 'Endgame', ...activity }] })
    expect(text).toMatch(told)
    expect(text).not.toMatch(untold)
  })

  test('shows what has no art by the icon of its application', () => {
    const icons = (activity: object) =>
      look({ activities: [{ name: 'Chess', application_id: '901', ...activity }] }).images.slice(1)
    expect(icons({})).toEqual(['https://icons.example/901.png'])
    expect(icons({ assets: { small_text: 'x' } })).toEqual(['https://icons.example/901.png'])
    expect(icons({ assets: { large_image: '5' } })).toEqual(['https://cdn.example/app-assets/901/5.png?size=128'])
    expect(icons({ assets: { large_image: 'evil' } })).toEqual([])
    for (const application_id of [undefined, 901, '../x', {}]) expect(icons({ application_id })).toEqual([])
  })

  test('leads to the person, the song, the stream and addresses among the pairs, by HTTPS alone', () => {
    const stream = { type: 1, name: 'Twitch', details: 'Live', url: 'https://www.twitch.tv/ada' }
    const activities = [
      { ...song, sync_id: '4uLU6hMCjMI75M1A2tKUQC' },
      stream,
      { ...game, details_url: 'http://x.example' },
    ]
    const kv = {
      site: 'https://ada.example/?a=1&b=<2>',
      plain: 'http://ada.example',
      script: 'javascript:alert(1)',
      fooled: 'https://discord.com@evil.example',
      words: 'https://ada.example and more',
    }
    const links = (hide: string[] = []) =>
      look({ ...whole, activities, kv }, { show: ['kv'], hide })
        .nodes.filter(({ tag }) => tag === 'a')
        .map(({ attributes }) => [attributes.href, attributes.rel])
    const rel = 'noopener noreferrer nofollow ugc'
    expect(links()).toEqual([
      [`https://discord.com/users/${ADA}`, rel],
      ['https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC', rel],
      ['https://www.twitch.tv/ada', rel],
      ['https://ada.example/?a=1&b=<2>', rel],
    ])
    expect(links(['links'])).toEqual([])
  })

  test.each([
    ['compact', ['Ada', '♪ Paper Boats · Ada, Grace'], ['@ada', 'Chess', 'Oslo']],
    ['music', ['Paper Boats', 'Harbour', '1:01'], ['@ada', 'Chess']],
    ['pill', ['Ada', 'Do not disturb'], ['@ada', 'Paper Boats', 'Chess']],
    ['nonsense', ['@ada', 'Paper Boats', 'Chess'], []],
    ['constructor', ['@ada', 'Paper Boats', 'Chess'], []],
  ])('in the layout %s is what fits there', (layout, told, untold) => {
    const { text } = look(whole, { layout, show: ['kv'] })
    for (const words of told) expect(text).toContain(words)
    for (const words of untold) expect(text).not.toContain(words)
  })

  test('has a word for whoever does nothing, in every layout', () => {
    const idle = { discord_user: { id: ADA, username: 'ada' }, discord_status: 'idle', activities: [] }
    expect(look(idle, { layout: 'music' }).text).toBe('ada is not listening to anything')
    for (const layout of ['card', 'compact', 'pill']) expect(look(idle, { layout }).text).toContain('Idle')
  })

  test('has badges, and the banner or the colour of the profile, unless they are left out', () => {
    const user = { ...whole.discord_user, public_flags: 64, banner: 'd'.repeat(32), accent_color: 0x00ff7f }
    const seen = (fields: object, hide: string[] = []) => {
      const { nodes, images } = look({ ...whole, discord_user: { ...user, ...fields } }, { hide })
      const fills = nodes.filter(({ tag }) => tag === 'path').map(({ attributes }) => attributes.fill)
      return { banner: images.filter(image => image.includes('/banners/')), colour: fills.includes('#00ff7f'), nodes }
    }
    expect(seen({})).toMatchObject({
      banner: [`https://cdn.example/banners/${ADA}/${'d'.repeat(32)}.webp?size=512`],
      colour: false,
    })
    expect(seen({ banner: null })).toMatchObject({ banner: [], colour: true })
    expect(seen({}, ['banner'])).toMatchObject({ banner: [], colour: false })
    for (const accent_color of [-1, 0x1000000, 1.5, '#fff', null])
      expect(seen({ banner: '../x', accent_color })).toMatchObject({ banner: [], colour: false })
    expect(JSON.stringify(seen({}).nodes)).toContain('HypeSquad Bravery')
    expect(JSON.stringify(seen({}, ['badges']).nodes)).not.toContain('HypeSquad')
  })

  test('counts what it does not draw', () => {
    const { text, nodes } = look({ ...whole, activities: Array.from({ length: 10_000 }, () => game) })
    expect(text).toContain('and 9992 more activities')
    expect(nodes.length).toBeLessThan(200)
  })

  test('moves by itself only with something that does', () => {
    expect([whole, {}, { activities: [null, {}] }, { last_seen_at: NOW }].map(moves)).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test('throws nothing and asks nobody else for pictures, whatever a presence holds', () => {
    const mutate = createMutator(createRandom(11))
    const known = [...Object.values(HOSTS), 'https://icons.example/']
    for (let made = 0; made < 2000; made++) {
      const odd = mutate.value(whole)
      const { nodes, images } = look(Object(odd), { show: ['kv'] })
      if (!images.every(image => known.some(base => image?.startsWith(base)))) throw new Error(`asks for ${images}`)
      if (nodes.some(node => Object.keys(node.attributes).some(name => name.startsWith('on'))))
        throw new Error('handler')
    }
    const anything = fc.dictionary(fc.constantFrom(...Object.keys(whole), 'last_seen_at'), fc.jsonValue())
    fc.assert(fc.property(anything, presence => typeof look(presence).text === 'string'))
  })
})
