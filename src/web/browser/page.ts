// Shows the person the address names, through the same element that other sites embed.

import { byId } from './dom.ts'
import type { DiscordPresence } from './element.ts'
import { showSnippets } from './snippets.ts'
import { offerThemes } from './theme.ts'

const STATES = {
  connecting: 'Connecting …',
  live: 'Updates as it happens',
  unknown: 'Waiting for them to appear',
  lost: 'Connection lost, trying again …',
}

const root = document.documentElement
const presence = byId<DiscordPresence>('presence')
const offered = byId('featured')
const field = byId<HTMLInputElement>('id')
const wordsOf = (list: string | undefined) => (list ?? '').split(' ').filter(Boolean)
const featured = wordsOf(root.dataset.featured)
let people: DiscordPresence[] = []

/** Whom the address asks for: `?user=ID` or `#ID`; else the first of those who are featured. */
function wanted(): string {
  const asked = new URLSearchParams(location.search).get('user') ?? location.hash.slice(1)
  return asked.trim() || (featured[0] ?? '')
}

function follow(): void {
  const id = wanted()
  // Who looks for somebody in particular is not shown others, unless the operator wants that.
  if (people.length === 0 && (id === '' || featured.length > 0)) people = wordsOf(offered.dataset.users).map(offer)
  root.dataset.view = id === '' ? 'front' : 'person'
  if (id === '') presence.removeAttribute('user')
  else presence.setAttribute('user', id)
  for (const link of offered.querySelectorAll('a')) {
    if (link.dataset.user === id) link.setAttribute('aria-current', 'true')
    else link.removeAttribute('aria-current')
  }
  document.title = 'Exoix – live Discord presence'
  showSnippets(/^\d{1,20}$/.test(id) ? id : '')
}

function pick(id: string): void {
  history.pushState(null, '', `?user=${id}`)
  follow()
}

function showState(): void {
  const { state } = presence
  byId('state').textContent = STATES[state] ?? STATES.connecting
  byId('state').dataset.state = state
  // What stands below a person is put there when it is known how much room they take.
  if (state !== 'connecting')
    requestAnimationFrame(() => requestAnimationFrame(() => root.setAttribute('data-known', '')))
}

/** Small ones of the same element: they are live, too. Whoever is not there now is not offered. */
function offer(id: string): DiscordPresence {
  const link = document.createElement('a')
  link.href = `?user=${id}`
  link.dataset.user = id
  link.hidden = true
  const person = document.createElement('discord-presence') as DiscordPresence
  person.setAttribute('user', id)
  person.setAttribute('layout', 'pill')
  person.setAttribute('hide', 'links')
  person.addEventListener('state', showOffered)
  link.append(person)
  link.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    pick(id)
  })
  offered.append(link)
  return person
}

/** All together, once it is known of everybody whether they are there: one by one they would push each other about. */
function showOffered(): void {
  if (people.some(({ state }) => state === 'connecting')) return
  for (const person of people) person.closest('a')?.toggleAttribute('hidden', person.presence === undefined)
  offered.toggleAttribute(
    'data-empty',
    people.every(({ presence }) => presence === undefined),
  )
}

/** What the service says of itself. */
async function introduce(): Promise<void> {
  const response = await fetch('.', { headers: { Accept: 'application/json' } })
  const { data } = await response.json()
  const count = Number(data.monitored_user_count)
  byId('count').textContent =
    `${count.toLocaleString('en')} ${count === 1 ? 'person is' : 'people are'} monitored here.`
  byId('invite').hidden = data.discord_invite === null
  byId('add').hidden = count > 0 || byId('add').dataset.known === undefined
}

offerThemes()
presence.addEventListener('state', showState)
presence.addEventListener('presence', event => {
  const { discord_user: user } = (event as CustomEvent).detail
  document.title = `${user?.global_name || user?.username} – Exoix`
})
byId('form').addEventListener('submit', event => {
  event.preventDefault()
  const id = field.value.match(/\d{1,20}/)?.[0]
  field.setCustomValidity(id === undefined ? 'A user id is a number' : '')
  if (id === undefined) field.reportValidity()
  else pick(id)
})
field.addEventListener('input', () => field.setCustomValidity(''))
for (const event of ['popstate', 'hashchange']) addEventListener(event, follow)
introduce().catch(() => {})
follow()
showState()
