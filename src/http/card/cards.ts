import { drawCard } from '../../card/card.ts'
import { type Gallery, gather } from '../../card/card-images.ts'
import { readSubject, type Shown, type Subject } from '../../card/model.ts'
import type { CardOptions } from '../../card/options.ts'
import type { Person } from '../../domain/presence-store.ts'
import { createLru } from '../../lib/lru.ts'
import { type ContentHeaders, type Representation, represent } from '../representation.ts'

/** Cards of people, kept for a moment, so that a README many people look at costs little. */
export interface Cards {
  of(person: Person, options: CardOptions): Representation | Promise<Representation>
}

/** With what was drawn: when the person shows something else, it is another one. */
interface Made extends Shown {
  /** Milliseconds since 1970. */
  readonly until: number
  readonly representation: Representation | Promise<Representation>
  readonly bytes: number
}

/** Bytes of finished cards that are kept, in every encoding. */
const CARD_CACHE = 64 * 1024 * 1024
/** What a card on its way counts for. */
const OVERHEAD = 2048
const SECOND = 1000

/** For how long a card stays as true as it has to be: progress is seen by the second, durations are told by the minute. */
const LIFETIMES = { late: 2 * SECOND, progress: 5 * SECOND, duration: 20 * SECOND, still: 60 * SECOND }

export function createCards(gallery: Gallery, now: () => number = Date.now): Cards {
  const kept = createLru<Made>(CARD_CACHE, ({ bytes, user, presence }) => {
    // The compressed forms stand beside the plain one.
    return 3 * bytes + user.length + presence.activities.length + OVERHEAD
  })

  async function draw(key: string, shown: Shown, options: CardOptions): Promise<Representation> {
    const subject = readSubject(shown, options, now())
    const pictures = await gather(subject, options, gallery)
    const made = now()
    const bytes = Buffer.from(drawCard(subject, pictures, options, made))
    const late = pictures.late === true
    const representation = represent(() => bytes, late ? SHORT_LIVED : CARD_HEADERS)
    const until = made + (late ? LIFETIMES.late : lifetime(subject, shown))
    kept.set(key, { ...shown, representation, bytes: bytes.byteLength, until })
    return representation
  }

  return {
    of({ id, user, presence, lastSeenAt }, options) {
      const shown = { user, presence, lastSeenAt }
      const key = `${id} ${JSON.stringify(options)}`
      const known = kept.get(key)
      if (known !== undefined && isSame(known, shown) && now() < known.until) return known.representation
      // Whoever asks for the same meanwhile waits for this one.
      const representation = draw(key, shown, options)
      kept.set(key, { ...shown, representation, bytes: 0, until: now() + LIFETIMES.progress })
      return representation
    },
  }
}

function isSame(one: Shown, other: Shown): boolean {
  return one.presence === other.presence && one.lastSeenAt === other.lastSeenAt && one.user === other.user
}

/** Nobody may run, load or frame anything by way of a card, not even where it is opened as a page of its own. */
const CARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

/** READMEs keep a card for a minute: GitHub's proxy goes by it. */
export const CARD_HEADERS: ContentHeaders = {
  'Content-Type': 'image/svg+xml; charset=utf-8',
  'Cache-Control': 'public, max-age=60',
  'Content-Security-Policy': CARD_POLICY,
}

/** Of a card there will be a better one of in a moment. */
export const SHORT_LIVED: ContentHeaders = { ...CARD_HEADERS, 'Cache-Control': 'public, max-age=5' }

function lifetime({ rows }: Subject, { lastSeenAt }: Shown): number {
  const timings = rows.map(row => row.timing).filter(timing => timing !== undefined)
  if (timings.some(({ end }) => end !== undefined)) return LIFETIMES.progress
  return timings.length > 0 || lastSeenAt !== null ? LIFETIMES.duration : LIFETIMES.still
}
