import type { Json } from '../types.ts'

/** A GitHub account as its REST API shows it (docs: REST, Users, "Get a user"). */
export interface GithubUser extends Json {
  id: number
  login: string
}

/** A gist; `files` maps names to contents. */
export interface GithubGist {
  readonly id: string
  readonly ownerId: number
  readonly description: string | null
  readonly files: Readonly<Record<string, string>>
  readonly public: boolean
  /** Milliseconds. */
  readonly updatedAt: number
}

export interface GithubWorld {
  /** Fields that are not given are those of an empty profile. */
  addUser(patch: { login: string } & Json): GithubUser
  user(id: number): GithubUser | undefined
  /** Logins are compared without regard to case. */
  userByLogin(login: string): GithubUser | undefined
  /** Changes a profile; a new `login` is a rename: the old one leads nowhere from then on. */
  changeUser(id: number, patch: Json): void
  deleteUser(id: number): void
  addGist(ownerId: number, gist?: Partial<Omit<GithubGist, 'id' | 'ownerId'>>): GithubGist
  gist(id: string): GithubGist | undefined
  /** The latest first. */
  gistsOf(ownerId: number): GithubGist[]
}

export function createGithubWorld(now: () => number): GithubWorld {
  const users = new Map<number, GithubUser>()
  const gists = new Map<string, GithubGist>()
  let lastId = 1_000_000
  let lastGist = 0

  function addUser(patch: { login: string } & Json): GithubUser {
    const id = typeof patch.id === 'number' ? patch.id : ++lastId
    const user = { ...emptyProfile(), ...patch, id }
    users.set(id, user)
    return shown(user)
  }

  return {
    addUser,
    user: id => optional(users.get(id)),
    userByLogin(login) {
      const wanted = login.toLowerCase()
      return optional(users.values().find(user => user.login.toLowerCase() === wanted))
    },
    changeUser(id, patch) {
      const user = users.get(id)
      if (user !== undefined) users.set(id, { ...user, ...patch, id })
    },
    deleteUser: id => void users.delete(id),
    addGist(ownerId, gist = {}) {
      const id = (++lastGist).toString(16).padStart(32, '0')
      const defaults = { description: null, files: { 'note.txt': 'hello' }, public: true, updatedAt: now() }
      const added = { ...defaults, ...gist, id, ownerId }
      gists.set(id, added)
      return added
    },
    gist: id => gists.get(id),
    gistsOf: ownerId =>
      [...gists.values()].filter(gist => gist.ownerId === ownerId).sort((a, b) => b.updatedAt - a.updatedAt),
  }
}

const optional = (user: GithubUser | undefined) => (user === undefined ? undefined : shown(user))

/** What follows from id and login, unless the profile says otherwise. */
function shown(user: GithubUser): GithubUser {
  return {
    avatar_url: `https://avatars.githubusercontent.com/u/${user.id}?v=4`,
    url: `https://api.github.com/users/${user.login}`,
    html_url: `https://github.com/${user.login}`,
    ...user,
  }
}

function emptyProfile(): Json {
  return {
    gravatar_id: '',
    type: 'User',
    site_admin: false,
    name: null,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2022-08-13T15:11:35Z',
    updated_at: '2026-01-02T03:04:05Z',
  }
}
