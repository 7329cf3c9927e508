import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { findInGists, hasToken } from '../../src/github/code-proof.ts'
import { readAccount, readLogin } from '../../src/github/proof.ts'

const USER = {
  login: 'octocat',
  id: 583231,
  avatar_url: 'https://avatars.githubusercontent.com/u/583231?v=4',
  url: 'https://api.github.com/users/octocat',
  html_url: 'https://github.com/octocat',
  company: '@github',
  blog: '',
  bio: null,
  public_repos: 8,
  email: 'not shown',
}

describe('an account', () => {
  test('is shown with these fields and no others, in this order', () => {
    expect(readAccount(USER)).toEqual({
      id: 583231,
      login: 'octocat',
      json: JSON.stringify({
        id: 583231,
        username: 'octocat',
        avatar_url: 'https://avatars.githubusercontent.com/u/583231?v=4',
        url: 'https://github.com/octocat',
        company: '@github',
        blog: '',
        bio: null,
        public_repos: 8,
      }),
    })
  })

  test.each([[null], [{}], [{ id: '1', login: 'a' }], [{ id: 1, login: '' }], [{ id: 1.5, login: 'a' }], [{ id: 1 }]])(
    'is nothing without a number and a name: %p',
    user => {
      expect(readAccount(user)).toBeNull()
    },
  )

  test('is readable whatever else GitHub sends', () => {
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(USER)), fc.jsonValue())
    fc.assert(
      fc.property(fields, odd => {
        const account = readAccount({ ...odd, id: 7, login: 'ada' })
        expect(JSON.parse(account?.json ?? '')).toMatchObject({ id: 7, username: 'ada' })
        expect(Object.keys(JSON.parse(account?.json ?? ''))).toHaveLength(8)
      }),
    )
  })
})

describe('a name somebody types', () => {
  test.each([
    ['octocat', 'octocat'],
    ['  @Octo-Cat ', 'Octo-Cat'],
    ['https://github.com/octocat', 'octocat'],
    ['http://github.example/octocat/', 'octocat'],
    ['mona_corp', 'mona_corp'],
    ['', null],
    ['-octocat', null],
    ['octo cat', null],
    ['octocat/repo', null],
    ['https://github.com/octocat/repo', null],
    ['../user', null],
    ['a?b', null],
    ['ada%2F..', null],
    ['a'.repeat(101), null],
    ['añ', null],
  ])('%p means %p', (text, login) => {
    expect(readLogin(text)).toBe(login)
  })
})

describe('a code', () => {
  const CODE = 'exoix-link-0123456789abcdef01234567'
  test.each([
    [CODE, true],
    [`casual coder, ${CODE}!`, true],
    [`a\n${CODE}\nb`, true],
    [`(${CODE})`, true],
    [`${CODE}8`, false],
    [`x${CODE}`, false],
    [`${CODE}-more`, false],
    [`é${CODE}`, false],
    [`my_${CODE}`, false],
    [CODE.toUpperCase(), false],
    [CODE.slice(0, -1), false],
    ['', false],
    [null, false],
    [[CODE], false],
  ])('in %p is found: %p', (text, found) => {
    expect(hasToken(text, CODE)).toBe(found)
  })
})

describe('a search through gists', () => {
  const CODE = 'exoix-link-0123456789abcdef01234567'
  const ADA = { id: 1, login: 'ada', json: '' }
  const gist = (patch: object = {}, files: unknown = { a: { filename: 'a', size: 1, content: CODE } }) => ({
    id: 'abc',
    public: true,
    owner: { id: 1 },
    description: null,
    files,
    ...patch,
  })
  /** Lists one gist without contents, and opens it. */
  const search = (listed: unknown, opened: unknown = listed) =>
    findInGists(async path => (path.startsWith('/gists/') ? opened : [listed]), ADA, CODE, 0)
  const closed = gist({}, { a: { filename: 'a', size: 1 } })

  test('finds the code in one that is theirs and public', async () => {
    expect(await search(closed, gist())).toBe(true)
  })

  test.each([
    [gist({ owner: { id: 2 } }), undefined],
    [gist({ owner: null }), undefined],
    [gist({ public: false }), undefined],
    [gist({ id: '../../user' }), undefined],
    [closed, gist({ owner: { id: 2 } })],
    [closed, gist({ public: false })],
    [closed, null],
    [closed, closed],
    [gist({}, null), gist({}, null)],
    [gist({}, { a: null }), gist({}, [7])],
    [null, null],
    [[], 'text'],
  ])('finds nothing in %j and then %j', async (listed, opened) => {
    expect(await search(listed, opened)).toBe(false)
  })
})
