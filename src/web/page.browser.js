// Shows the person the address names, through the same element that other sites embed.

const $ = id => document.getElementById(id)

const STATES = {
  connecting: 'Connecting …',
  live: 'Updates as it happens',
  unknown: 'Waiting for them to appear',
  lost: 'Connection lost, trying again …',
}

/** Whom the address asks for: `?user=ID` or `#ID`; else the first of those who are featured. */
function wanted() {
  const id = new URLSearchParams(location.search).get('user') ?? location.hash.slice(1)
  return /^\d{1,20}$/.test(id) ? id : (featured[0] ?? '')
}

function follow() {
  const id = wanted()
  $('person').hidden = id === ''
  if (id !== '') $('presence').setAttribute('user', id)
  for (const link of $('featured').children) {
    if (link.dataset.user === id) link.setAttribute('aria-current', 'true')
    else link.removeAttribute('aria-current')
  }
  document.title = 'Exoix – live Discord presence'
  document.dispatchEvent(new CustomEvent('pick', { detail: id }))
}

function pick(id) {
  history.pushState(null, '', `?user=${id}`)
  follow()
}

function tell() {
  const { state } = $('presence')
  $('state').textContent = STATES[state] ?? STATES.connecting
  $('state').dataset.state = state
}

/** Small ones of the same element: they are live, too. Whoever is not there now is not offered. */
function offer(id) {
  const link = document.createElement('a')
  link.href = `?user=${id}`
  link.dataset.user = id
  link.hidden = true
  const person = document.createElement('discord-presence')
  person.setAttribute('user', id)
  person.setAttribute('hide', 'decoration tag platforms seen custom spotify activities')
  person.addEventListener('state', () => {
    link.hidden = person.presence === undefined
    $('featured').hidden = $('featured').querySelector('a:not([hidden])') === null
  })
  link.append(person)
  link.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    pick(id)
  })
  $('featured').append(link)
}

const featured = $('featured').dataset.users.split(' ').filter(Boolean)
featured.forEach(offer)

$('presence').addEventListener('state', tell)
$('presence').addEventListener('presence', ({ detail: { discord_user: user } }) => {
  document.title = `${user?.global_name || user?.username} – Exoix`
})
$('form').addEventListener('submit', event => {
  event.preventDefault()
  const id = $('id').value.match(/\d{1,20}/)?.[0]
  $('id').setCustomValidity(id === undefined ? 'A user id is a number' : '')
  if (id === undefined) return $('id').reportValidity()
  pick(id)
})
$('id').addEventListener('input', () => $('id').setCustomValidity(''))
for (const event of ['popstate', 'hashchange']) addEventListener(event, follow)

fetch('.', { headers: { Accept: 'application/json' } })
  .then(response => response.json())
  .then(({ data }) => {
    const count = data.monitored_user_count
    $('count').textContent = `${count.toLocaleString('en')} ${count === 1 ? 'person is' : 'people are'} monitored here.`
    $('invite').hidden = data.discord_invite === null
  })
  .catch(() => {})

follow()
tell()
