// Follows the person the address names over a socket, and hands what it hears to whoever draws it.

const $ = id => document.getElementById(id)
const FIRST_WAIT = 1000
const LONGEST_WAIT = 30_000

let watched
let retry

function say(message, live = false) {
  if ($('state').textContent !== message) $('state').textContent = message
  $('state').dataset.live = live ? 'yes' : 'no'
}

function watch(id) {
  $('id').value = id
  $('person').hidden = false
  $('presence').replaceChildren()
  document.title = `${id} – Exoix`
  fillSnippets(id)
  connect(id, FIRST_WAIT)
}

/** Follows one person over a socket of its own; whatever an earlier socket still says is not heard any more. */
function connect(id, wait) {
  clearTimeout(retry)
  watched?.close()
  say('Connecting …')
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/socket`)
  watched = socket
  let beat
  let pause = wait
  socket.addEventListener('open', () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_id: id } })))
  socket.addEventListener('message', ({ data }) => {
    if (socket !== watched) return
    const { op, t, d } = JSON.parse(data)
    if (op === 1) {
      clearInterval(beat)
      beat = setInterval(() => socket.send('{"op":3}'), d.heartbeat_interval)
    }
    if (t !== 'INIT_STATE' && t !== 'PRESENCE_UPDATE') return
    pause = FIRST_WAIT
    if (d.discord_user === undefined) return nobody()
    say('Live', true)
    document.dispatchEvent(new CustomEvent('presence', { detail: d }))
  })
  socket.addEventListener('close', () => {
    clearInterval(beat)
    if (socket !== watched) return
    // A random part keeps all the pages in the world from coming back at once.
    const delay = pause / 2 + Math.random() * pause
    say(`Connection lost, trying again in ${Math.ceil(delay / 1000)} s …`)
    retry = setTimeout(() => connect(id, Math.min(pause * 2, LONGEST_WAIT)), delay)
  })
}

function nobody() {
  say('Nobody with this id is monitored here. They will appear when they join.')
  $('presence').replaceChildren()
}

/** Somebody looks again, or the network is back: no reason to wait. */
function wake() {
  const id = wanted()
  const lost = watched === undefined || watched.readyState === WebSocket.CLOSED
  if (id !== '' && lost && document.visibilityState === 'visible') connect(id, FIRST_WAIT)
}

/** The snippets as the page came, to be filled in for whomever is watched. */
const snippets = Array.from(document.querySelectorAll('.snippet code'), code => [code, code.textContent])

function fillSnippets(id) {
  const { origin } = location
  const socket = `${origin.replace(/^http/, 'ws')}/socket`
  for (const [code, template] of snippets) {
    code.textContent = template.replaceAll('ORIGIN', origin).replaceAll('SOCKET', socket).replaceAll('USER_ID', id)
  }
}

async function copy(button) {
  const code = button.closest('.snippet').querySelector('code')
  // Without HTTPS browsers have no clipboard for pages: then the text is selected for the reader to copy.
  const copied = await (navigator.clipboard?.writeText(code.textContent) ?? Promise.reject()).then(
    () => true,
    () => false,
  )
  if (!copied) getSelection().selectAllChildren(code)
  button.textContent = copied ? 'Copied' : 'Selected'
  setTimeout(() => {
    button.textContent = 'Copy'
  }, 2000)
}

/** Whom the address asks for: `?user=ID` or `#ID`. */
function wanted() {
  const id = new URLSearchParams(location.search).get('user') ?? location.hash.slice(1)
  return /^\d{1,20}$/.test(id) ? id : ''
}

function follow() {
  const id = wanted()
  if (id !== '') watch(id)
}

$('form').addEventListener('submit', event => {
  event.preventDefault()
  const id = $('id').value.match(/\d{1,20}/)?.[0]
  $('id').setCustomValidity(id === undefined ? 'A user id is a number' : '')
  if (id === undefined) return $('id').reportValidity()
  history.pushState(null, '', `/?user=${id}`)
  watch(id)
})
$('id').addEventListener('input', () => $('id').setCustomValidity(''))
for (const event of ['popstate', 'hashchange']) addEventListener(event, follow)
for (const event of ['online', 'pageshow']) addEventListener(event, wake)
document.addEventListener('visibilitychange', wake)

for (const button of document.querySelectorAll('.snippet button')) button.addEventListener('click', () => copy(button))

fetch('/', { headers: { Accept: 'application/json' } })
  .then(response => response.json())
  .then(({ data }) => {
    const count = data.monitored_user_count
    $('count').textContent = `${count.toLocaleString()} ${count === 1 ? 'person is' : 'people are'} monitored here.`
    $('invite').hidden = data.discord_invite === null
  })
  .catch(() => {})

fillSnippets('USER_ID')
follow()
