import { SaxesParser } from 'saxes'
import { ADA, type Options, startServer } from '../http/harness.ts'
import { pngOf } from '../support/png.ts'

export const HASH = '0123456789abcdef0123456789abcdef'

/** Somebody with everything a card can show. */
export const USER = {
  id: ADA,
  username: 'ada',
  global_name: 'Ada Lovelace',
  discriminator: '0',
  avatar: HASH,
  public_flags: 64 | (1 << 22),
  primary_guild: { tag: 'ENGN', identity_enabled: true, identity_guild_id: '880000000000000001', badge: HASH },
  avatar_decoration_data: { asset: `a_${HASH}` },
}

export const MOOD = {
  type: 4,
  name: 'Custom Status',
  state: 'deep work',
  emoji: { name: 'moss', id: '110', animated: true },
}

export const GAME = {
  type: 0,
  name: 'Lumen Drift',
  details: 'Ranked',
  state: 'In a lobby',
  application_id: '901',
  assets: { large_image: '111', small_image: 'mp:external/abc/https/example.org/logo.png' },
}

export const SONG = {
  type: 2,
  id: 'spotify:1',
  name: 'Spotify',
  details: 'Paper Lanterns',
  state: 'Hollow Coast; Mira Vance',
  assets: { large_image: 'spotify:ab67616d0000b273', large_text: 'Tidewater' },
}

/** A host of pictures on loopback that remembers what it was asked. Without `answer` every address has a PNG of its own. */
export function startHost(answer: (request: Request) => Response | Promise<Response> = png) {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push(pathname + search)
      return answer(request)
    },
  })
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    asked,
    config: { discordCdnUrl: url, discordMediaUrl: url, spotifyCdnUrl: url },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

export const png = ({ url }: { url: string }) => new Response(pngOf(url), { headers: { 'content-type': 'image/png' } })

/** The server with Ada as {@link USER}, and its pictures on loopback. */
export function startCards(host: Pick<ReturnType<typeof startHost>, 'config'>, options: Options = {}) {
  const server = startServer({ ...options, config: { ...host.config, ...options.config } })
  const show = (activities: readonly object[], user: object = {}, presence: object = {}) =>
    server.presences.putMember('1', { user: { ...USER, ...user } }, { status: 'online', activities, ...presence })
  show([MOOD, GAME, SONG])
  return {
    ...server,
    show,
    card: async (query = '', id = ADA) => (await server.get(`/v1/users/${id}/card.svg?${query}`)).text(),
  }
}

/** Which attributes an element of a card may have that name something else: pieces of the card itself, and data. */
const REFERENCE = /^(url\(#[a-z]+\d*\)|data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]*={0,2})$/
const NAMES = new Set([
  ...[
    'svg',
    'title',
    'g',
    'rect',
    'circle',
    'path',
    'text',
    'image',
    'mask',
    'clipPath',
    'animate',
    'animateTransform',
  ],
  ...['radialGradient', 'linearGradient', 'stop', 'style'],
])

/** Reads a card as XML and as strictly as XML may be read. Throws when it is none, or names anything outside itself. */
export function inspect(card: string): { texts: string[]; images: string[]; height: number } {
  const found = { texts: [] as string[], images: [] as string[], height: 0 }
  const open: string[] = []
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', error => {
    throw error
  })
  parser.on('doctype', () => fail('a doctype'))
  parser.on('processinginstruction', () => fail('a processing instruction'))
  parser.on('comment', () => fail('a comment'))
  parser.on('cdata', () => fail('a CDATA section'))
  parser.on('opentag', ({ name, uri, attributes }) => {
    if (uri !== 'http://www.w3.org/2000/svg' || !NAMES.has(name)) fail(`an element ${name}`)
    open.push(name)
    for (const { name: attribute, value } of Object.values(attributes)) {
      if (/^on/i.test(attribute) || (attribute === 'href' && name !== 'image')) fail(`an attribute ${attribute}`)
      if (/url\(|:[a-z/]*;|^data:|href/i.test(`${attribute}=${value}`) && !REFERENCE.test(value)) fail(value)
      if (attribute === 'href') found.images.push(value)
    }
    if (open.length === 1) found.height = Number(attributes.height?.value)
  })
  parser.on('closetag', () => void open.pop())
  parser.on('text', text => {
    if (open.at(-1) === 'text') found.texts.push(text)
  })
  parser.write(card).close()
  return found
}

function fail(what: string): never {
  throw new Error(`the card has ${what}`)
}
