import type { GithubSnapshot } from '../domain/github.ts'
import { parsePresence } from '../domain/presence.ts'
import type { Person, Snapshot } from '../domain/presences.ts'
import { readDetails } from './record.ts'

/** What only some readers ask for. */
interface Parsed {
  readonly person: Person
  readonly kv: ReadonlyMap<string, string>
  readonly account: GithubSnapshot | null
}

/** One person in a copy: another object after every change, as a snapshot has to be. Small: there is one for everybody. */
export class Row implements Snapshot {
  readonly id: string
  readonly json: string
  readonly details: string
  /** Where the last change of this person stands. */
  place: number
  /** The synchronization that has seen this person last. */
  round: number
  #parsed: Parsed | null = null

  constructor(id: string, json: string, details: string, place: number, round: number) {
    this.id = id
    this.json = json
    this.details = details
    this.place = place
    this.round = round
  }

  get person(): Person {
    return this.#parse().person
  }

  get kv(): ReadonlyMap<string, string> {
    return this.#parse().kv
  }

  get account(): GithubSnapshot | null {
    return this.#parse().account
  }

  #parse(): Parsed {
    this.#parsed ??= parse(this)
    return this.#parsed
  }
}

function parse({ id, json, details }: Row): Parsed {
  const { kv, ...shown } = parsePresence(json)
  const { memberships, account } = readDetails(details)
  return {
    person: { id, ...shown, memberships: memberships.map(([guildId, nick]) => ({ guildId, nick })) },
    kv,
    account: account === null ? null : { json: account },
  }
}
