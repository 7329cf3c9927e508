import { loadImages } from '../../src/card/card-images.ts'
import { readModel } from '../../src/card/model.ts'
import { readOptions } from '../../src/card/options.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { applyPresence, OFFLINE, readUser } from '../../src/domain/presence.ts'
import type { Upstream } from './processes/exoix.ts'
import { startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Pairs } from './support/benchmark.ts'
import { withChildren } from './support/child.ts'
import { type Made, makePeople } from './support/people.ts'
import { measureReads, record } from './support/reads.ts'
import { median } from './support/table.ts'

const PEOPLE_A_ROUND = 20
const path = (id: string) => `/v1/users/${id}/card.svg`

/** First cards, which need pictures from elsewhere, and cards that are there. */
export const benchmark: Benchmark = {
  name: 'card',
  run: options =>
    withChildren(
      ['discord', 'exoix', 'card-control', 'reads-control', 'http-load'],
      async (discord, exoix, fetching, ready, client) => {
        // One round more: the warm-up.
        const people = makePeople(PEOPLE_A_ROUND * (options.rounds + 1))
        const { url, ids, upstream } = await startApplication(discord, exoix, people.length)
        const addresses = Object.fromEntries(
          await Promise.all(people.map(async made => [made.id, await addressesOf(made, upstream)] as const)),
        )
        const cold = await measureCold(ids, addresses, await fetching.call<string>('serve', addresses), url, options)

        const some = ids.slice(0, PEOPLE_A_ROUND)
        const answers = await record(url, some, path)
        const control = { child: ready, url: await ready.call<string>('serve', { path: path(':id'), answers }) }
        const kept = await alternate(
          options.rounds,
          () => medianOf(control.url, some),
          () => medianOf(url, some),
        )
        const requests = some.map(id => ({ path: path(id) }))
        const servers = { control, exoix: { child: exoix, url } }
        return [
          { name: "a person's first card", unit: 'ms', better: 'lower', ...cold, target: '< 150 ms' },
          { name: 'the same card again', unit: 'ms', better: 'lower', ...kept, target: '< 5 ms' },
          ...(await measureReads(client, servers, { name: 'GET card', status: 200, requests }, options)),
        ]
      },
    ),
}

/** Other people every round: nobody has seen their pictures, except the simulator, which would else be measured drawing them. */
function measureCold(
  ids: readonly string[],
  addresses: Readonly<Record<string, readonly string[]>>,
  control: string,
  exoix: string,
  { rounds }: { rounds: number },
): Promise<Pairs> {
  let round = 0
  const from = () => ids.slice(round * PEOPLE_A_ROUND, (round + 1) * PEOPLE_A_ROUND)
  return alternate(
    rounds,
    async () => {
      for (const address of from().flatMap(id => addresses[id] ?? [])) await (await fetch(address)).bytes()
      return medianOf(control, from())
    },
    async () => {
      const took = await medianOf(exoix, from())
      round++
      return took
    },
  )
}

/** Milliseconds from asking for a card until all of it is there. */
async function medianOf(url: string, ids: readonly string[]): Promise<number> {
  const took: number[] = []
  for (const id of ids) {
    const asked = performance.now()
    const response = await fetch(url + path(id), { headers: { 'Accept-Encoding': 'identity' } })
    await response.bytes()
    took.push(performance.now() - asked)
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  }
  return median(took)
}

/** What a card of somebody asks others for. */
async function addressesOf({ member, presence }: Made, { cdnUrl, mediaUrl, spotifyUrl }: Upstream): Promise<string[]> {
  const addresses: string[] = []
  const images = {
    async get(address: string) {
      addresses.push(address)
      return undefined
    },
  }
  const pictures = new Pictures({ discordCdnUrl: cdnUrl, discordMediaUrl: mediaUrl, spotifyCdnUrl: spotifyUrl })
  const person = { user: readUser(member.user) ?? '', presence: applyPresence(OFFLINE, presence), lastSeenAt: null }
  const options = readOptions('')
  await loadImages(readModel(person, options, Date.now()), options, { pictures, images })
  return addresses
}
