import type { Config } from '../config.ts'
import { code } from './reply.ts'

/** What its operator says of this instance. */
export type Instance = Partial<Pick<Config, 'instanceName' | 'privacyUrl' | 'termsUrl'>>

/** Where a person can be seen, for messages. Without a public address of this instance the paths alone are told. */
export class Addresses {
  /** The public address, without a slash at the end; undefined while nobody has set one. */
  readonly base: string | undefined
  readonly #instance: Instance

  constructor(externalUrl: string | undefined, instance: Instance = {}) {
    this.base = externalUrl
    this.#instance = instance
  }

  /** What this instance is called. */
  get name(): string {
    return this.#instance.instanceName ?? 'Exoix'
  }

  /** Where its operator says what holds here, in a line; empty when nowhere. */
  get terms(): string {
    const { privacyUrl, termsUrl } = this.#instance
    const told = { 'What is kept of you': privacyUrl, Terms: termsUrl }
    return Object.entries(told)
      .flatMap(([what, address]) => (address === undefined ? [] : `${what}: <${address}>`))
      .join(' · ')
  }

  page(userId: string): string {
    return this.#link(`/?user=${userId}`)
  }

  presence(userId: string): string {
    return this.#link(`/v1/users/${userId}`)
  }

  card(userId: string): string {
    return this.#link(cardPath(userId))
  }

  history(userId: string): string {
    return this.#link(`/v1/users/${userId}/history`)
  }

  /** All pairs of theirs. */
  pairs(userId: string): string {
    return this.#link(`/v1/users/${userId}/kv`)
  }

  /** A value of theirs. */
  value(userId: string, key: string): string {
    return this.#link(`/v1/users/${userId}/kv/${key}`)
  }

  /** The picture a README shows, which leads to the page. Undefined without a public address. */
  markdown(userId: string): string | undefined {
    if (this.base === undefined) return undefined
    return `[![Discord presence](${this.base}${cardPath(userId)})](${this.base}/?user=${userId})`
  }

  /** The full address of a picture, for embeds; undefined without one that Discord could fetch it from. */
  picture(userId: string): { readonly card: string; readonly avatar: string } | undefined {
    if (this.base === undefined) return undefined
    return { card: this.base + cardPath(userId), avatar: `${this.base}/${userId}.png` }
  }

  /** All of them, a line each. */
  describe(userId: string): string {
    return `Page: ${this.page(userId)}\nJSON: ${this.presence(userId)}\nCard: ${this.card(userId)}`
  }

  #link(path: string): string {
    return this.base === undefined ? code(path) : `<${this.base}${path}>`
  }
}

const cardPath = (userId: string) => `/v1/users/${userId}/card.svg`
