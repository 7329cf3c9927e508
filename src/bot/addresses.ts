import { code } from './reply.ts'

/** Where a person can be seen, for messages. Without a public address of this instance the paths alone are told. */
export class Addresses {
  /** The public address, without a slash at the end; undefined while nobody has set one. */
  readonly base: string | undefined

  constructor(externalUrl: string | undefined) {
    this.base = externalUrl
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
