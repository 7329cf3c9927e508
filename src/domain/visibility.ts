import type { Membership, SavedPerson } from './person.ts'

/** Whom an instance shows, as MONITOR has it: `everybody`, `opt-in`, or `role:<id>`. */
export type Monitor = string

/** Who may be seen: by their own wish, the operator's, and by whom the instance is for. */
export class Visibility {
  readonly #isOptIn: boolean
  readonly #role: string | undefined
  readonly #hidden = new Set<string>()
  readonly #consenting = new Set<string>()

  constructor(monitor: Monitor) {
    this.#isOptIn = monitor === 'opt-in'
    this.#role = /^role:(\d+)$/.exec(monitor)?.[1]
  }

  isHidden(userId: string): boolean {
    return this.#hidden.has(userId)
  }

  /** Whether this is news. */
  setHidden(userId: string, hidden: boolean): boolean {
    if (this.#hidden.has(userId) === hidden) return false
    if (hidden) this.#hidden.add(userId)
    else this.#hidden.delete(userId)
    return true
  }

  /** Whether somebody has to say that they want to be shown, and has not. */
  lacksConsent(userId: string): boolean {
    return this.#isOptIn && !this.#consenting.has(userId)
  }

  setConsent(userId: string, consents: boolean): void {
    if (consents) this.#consenting.add(userId)
    else this.#consenting.delete(userId)
  }

  allows({ id, memberships }: SavedPerson): boolean {
    if (this.#hidden.has(id) || this.lacksConsent(id)) return false
    return this.#role === undefined || memberships.some(({ role }) => role?.has === true && role.id === this.#role)
  }

  /** What matters here of the roles a member has. */
  readRole(roles: unknown): Pick<Membership, 'role'> {
    if (this.#role === undefined) return {}
    return { role: { id: this.#role, has: Array.isArray(roles) && roles.includes(this.#role) } }
  }

  /** Whether enough was saved of somebody to tell whether they may be seen. */
  knows({ memberships }: SavedPerson): boolean {
    return this.#role === undefined || memberships.every(({ role }) => role?.id === this.#role)
  }
}
