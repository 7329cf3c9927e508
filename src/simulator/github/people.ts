import { ask } from '../dm.ts'
import type { Simulator } from '../simulator.ts'
import type { GithubSimulator } from './github.ts'

/** Made-up profiles; null and empty fields as real ones have them. */
const PROFILES = [
  {
    login: 'harbour-lights',
    bio: 'Lighthouses, mostly',
    company: '@tidewater',
    blog: 'https://example.org',
    public_repos: 42,
  },
  { login: 'paper-boats', bio: null, company: null, blog: '', public_repos: 3 },
  { login: 'quiet-engine', bio: 'compilers and tea', company: null, blog: 'https://example.net', public_repos: 117 },
]

/**
 * Gives people GitHub accounts and lets them connect these the way real ones do: they tell the bot, put its code into a
 * gist and have it verified. The bot must be there already. Stops quietly when the simulator does.
 */
export async function connectGithubPeople(sim: Simulator, github: GithubSimulator, userIds: readonly string[]) {
  for (const [at, profile] of PROFILES.entries()) {
    const userId = userIds[at]
    if (userId === undefined) return
    const { id } = github.world.addUser(profile)
    const told = await ask(sim, userId, `.github connect ${profile.login}`)
    github.world.addGist(id, { files: { 'exoix.txt': /exoix-link-\w+/.exec(told)?.[0] ?? '' } })
    await ask(sim, userId, '.github verify')
  }
}
