// Shows the person the address names, through the same element that other sites embed.

import { byId } from './dom.ts'
import type { DiscordPresence } from './element.ts'
import { selectSnippet, showSnippets } from './snippets.ts'
import { offerThemes } from './theme.ts'

const STATES = {
  connecting: 'Connecting …',
  live: 'Updates as it happens',
  unknown: 'Waiting for them to appear',
  lost: 'Connection lost, trying again …',
}

const presence = byId<DiscordPresence>('presence')
const offered = byId('featured')
const field = byId<HTMLInputElement>('id')
const featured = (offered.dataset.users ?? '').split(' ').filter(Boolean)

/** Whom the address asks for: `?user=ID` or `#ID`; else the first of those who are featured. */
function wanted(): string {
  const id = new URLSearchParams(location.search).get('user') ?? location.hash.slice(1)
  return /^\d{1,20}$/.test(id) ? id : (featured[0] ?? '')
}

function follow(): void {
  const id = wanted()
  byId('person').hidden = id === ''
  if (id !== '') presence.setAttribute('user', id)
  for (const link of offered.querySelectorAll('a')) {
    if (link.dataset.user === id) link.setAttribute('aria-current', 'true')
    else link.removeAttribute('aria-current')
  }
  document.title = 'Exoix – live Discord presence'
  showSnippets(id)
}

function pick(id: string): void {
  history.pushState(null, '', `?user=${id}`)
  follow()
}

function showState(): void {
  const { state } = presence
  byId('state').textContent = STATES[state] ?? STATES.connecting
  byId('state').dataset.state = state
}

/** Small ones of the same element: they are live, too. Whoever is not there now is not offered. */
function offer(id: string): void {
  const link = document.createElement('a')
  link.href = `?user=${id}`
  link.dataset.user = id
  link.hidden = true
  const person = document.createElement('discord-presence') as DiscordPresence
  person.setAttribute('user', id)
  person.setAttribute('hide', 'decoration tag platforms seen custom spotify activities')
  person.addEventListener('state', () => {
    link.hidden = person.presence === undefined
    offered.hidden = offered.querySelector('a:not([hidden])') === null
  })
  link.append(person)
  link.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    pick(id)
  })
  offered.append(link)
}

/** What the service says of itself. */
async function introduce(): Promise<void> {
  const response = await fetch('.', { headers: { Accept: 'application/json' } })
  const { data } = await response.json()
  const count = Number(data.monitored_user_count)
  byId('count').textContent =
    `${count.toLocaleString('en')} ${count === 1 ? 'person is' : 'people are'} monitored here.`
  byId('invite').hidden = data.discord_invite === null
}

offerThemes()
featured.forEach(offer)
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
selectSnippet(0)
follow()
showState()
