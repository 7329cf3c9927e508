import { Elysia } from 'elysia'
import { drawNotMonitored, drawStarting } from '../../card/card.ts'
import { createImages } from '../../card/images.ts'
import { type CardOptions, readOptions } from '../../card/options.ts'
import type { Config } from '../../config.ts'
import { createPictures } from '../../domain/discord-cdn.ts'
import type { PresenceStore } from '../../domain/presence-store.ts'
import type { Readiness } from '../../domain/presences.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { answer, represent } from '../representation.ts'
import { CARD_HEADERS, createCards, SHORT_LIVED } from './cards.ts'
import { CARD } from './docs.ts'

export interface CardDeps {
  readonly config: Pick<Config, 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl' | 'discordInvite'>
  readonly presences: PresenceStore
  readonly readiness: () => Readiness
  readonly metrics: Metrics
}

/** `/v1/users/:id/card.svg`: a presence as a picture. Always a picture and always 200, because it stands in READMEs. */
export function cardRoutes({ config, presences, readiness, metrics }: CardDeps) {
  const hosts = [config.discordCdnUrl, config.discordMediaUrl, config.spotifyCdnUrl]
  const cards = createCards({ pictures: createPictures(config), images: createImages({ hosts, metrics }) })

  async function card(request: Request, id: string): Promise<Response> {
    const options = readOptions(queryOf(request))
    const person = presences.person(id)
    return answer(person === undefined ? nobody(options) : await cards.of(person, options), request)
  }

  /** Nobody knows of the person: because there is none, because they are hidden, or because they have not arrived yet. */
  function nobody(options: CardOptions) {
    if (readiness() === 'starting') {
      return represent(() => Buffer.from(drawStarting(options)), SHORT_LIVED)
    }
    return represent(() => Buffer.from(drawNotMonitored(options, config.discordInvite)), CARD_HEADERS)
  }

  return new Elysia({ name: 'card' }).get(
    '/v1/users/:id/card.svg',
    ({ request, params: { id } }) => card(request, id),
    CARD,
  )
}

/** The address may be no URL where the Host header is none. */
function queryOf({ url }: Request): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}
