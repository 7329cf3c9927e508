import { GithubProblem, type Proof } from '../domain/github.ts'
import type { Clock } from '../lib/clock.ts'
import type { Described } from './account.ts'
import type { Links } from './links.ts'

/** One way for people to prove that an account is theirs. */
export interface Prover {
  /** Rejects with GithubProblem. */
  start(userId: string, login: string): Promise<Proof>
  /** Resolves with the login once proved. Rejects with GithubProblem, or `storage_unavailable`. */
  verify(userId: string): Promise<string>
  /** Calls off what is under way. */
  cancel(userId: string): void
}

/** Links a proved account, unless that was called off; also when it is called off while the link is being stored. */
export async function keepProved(
  { links, clock }: { links: Links; clock: Clock },
  userId: string,
  { id, login, json }: Described,
  isOff: () => boolean,
): Promise<string> {
  if (isOff()) throw new GithubProblem('replaced')
  await links.put({ userId, githubId: id, login, account: json, etag: null, checkedAt: clock.now() })
  if (!isOff()) return login
  await links.remove(userId)
  throw new GithubProblem('replaced')
}
