// Draws a presence. Names, titles and values come from strangers: they only ever become text, never markup.

const PLATFORMS = { web: 'browser', desktop: 'desktop', mobile: 'phone', embedded: 'console', vr: 'headset' }
const VERBS = ['Playing', 'Streaming', 'Listening to', 'Watching', '', 'Competing in']
const STATUSES = { online: 'Online', idle: 'Idle', dnd: 'Do not disturb', offline: 'Offline' }
const PICTURE_HOSTS = ['i.scdn.co', 'cdn.discordapp.com', 'media.discordapp.net']

const text = value => (typeof value === 'string' ? value : '')
const time = value => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)

// The connection tells of every presence as it arrives.
document.addEventListener('presence', ({ detail }) => draw(detail))

/** Builds an element. Properties, not attributes, and children that are nodes or text. */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children.filter(child => child !== undefined && child !== ''))
  return made
}

/** An image from the few places pictures in presences come from, or what stands in for it. */
function picture(address, alt, standIn) {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'https:' || !PICTURE_HOSTS.includes(url.host)) return standIn
  const image = element('img', { alt, loading: 'lazy', referrerPolicy: 'no-referrer', src: url.href })
  image.addEventListener('error', () => image.replaceWith(standIn))
  return image
}

/** Source: Discord docs, activity asset image. */
function artwork({ application_id, assets }) {
  const image = text(assets?.large_image) || text(assets?.small_image)
  if (image.startsWith('spotify:')) return `https://i.scdn.co/image/${image.slice(8)}`
  if (image.startsWith('mp:')) return `https://media.discordapp.net/${image.slice(3)}`
  return /^\d+$/.test(image) ? `https://cdn.discordapp.com/app-assets/${application_id}/${image}.png` : ''
}

const ticking = new Set()

function ticks(update) {
  update()
  ticking.add(update)
}

setInterval(() => {
  for (const update of ticking) update()
}, 1000)

function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const shown = parts[0] > 0 ? parts : parts.slice(1)
  return shown.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':')
}

function timing(timestamps) {
  const start = time(timestamps?.start)
  const end = time(timestamps?.end)
  if (start === undefined) return undefined
  if (end === undefined || end <= start) {
    const elapsed = element('p')
    ticks(() => {
      elapsed.textContent = `for ${clock(Date.now() - start)}`
    })
    return elapsed
  }
  const bar = element('progress', { max: end - start, ariaLabel: 'Progress' })
  const passed = element('span')
  ticks(() => {
    bar.value = Math.min(Math.max(Date.now() - start, 0), end - start)
    passed.textContent = clock(bar.value)
  })
  return element('div', { className: 'track' }, passed, bar, element('span', {}, clock(end - start)))
}

function draw(presence) {
  ticking.clear()
  const user = presence.discord_user ?? {}
  const activities = Array.isArray(presence.activities) ? presence.activities.filter(Boolean) : []
  const mood = activities.find(activity => activity.type === 4)
  const others = activities.filter(activity => activity !== mood)
  const pairs = Object.entries(presence.kv ?? {})
  document
    .getElementById('presence')
    .replaceChildren(
      drawPerson(presence, user),
      ...(mood ? [drawMood(mood)] : []),
      ...(others.length > 0 ? [element('h3', {}, 'Activity'), ...others.map(drawActivity)] : []),
      ...(pairs.length > 0 ? [element('h3', {}, 'Key-value pairs'), drawPairs(pairs)] : []),
    )
}

function drawPerson(presence, user) {
  const name = text(user.global_name) || text(user.username)
  const status = presence.discord_status
  const places = Object.keys(PLATFORMS).filter(key => presence[`active_on_discord_${key}`] === true)
  const where = places.length > 0 ? ` on ${places.map(key => PLATFORMS[key]).join(' and ')}` : ''
  // The hash in the address makes a new avatar appear at once.
  const image = element('img', { alt: '', src: `/${user.id}.webp?v=${encodeURIComponent(text(user.avatar))}` })
  image.addEventListener('error', () => image.remove())
  const dot = element('span', { title: STATUSES[status] ?? '' })
  dot.dataset.status = status
  return element(
    'div',
    { className: 'who' },
    element('div', { className: 'avatar' }, image, dot),
    element(
      'div',
      { className: 'about' },
      element('h2', {}, name),
      element('p', {}, `@${text(user.username)}`),
      element('p', {}, (STATUSES[status] ?? '') + where),
    ),
  )
}

function drawMood({ emoji, state }) {
  const name = text(emoji?.name)
  const address = /^\d+$/.test(emoji?.id) ? `https://cdn.discordapp.com/emojis/${emoji.id}.webp` : ''
  return element('p', { className: 'mood' }, picture(address, name, name), ' ', text(state))
}

function drawActivity(activity) {
  const name = text(activity.name)
  const title = `${VERBS[activity.type] ?? ''} ${name}`.trim()
  const letter = element('span', { className: 'blank', ariaHidden: 'true' }, Array.from(name)[0] ?? '·')
  const cover = picture(artwork(activity), text(activity.assets?.large_text), letter)
  return element(
    'article',
    { className: 'activity' },
    cover,
    element(
      'div',
      {},
      element('b', {}, title),
      ...[activity.details, activity.state]
        .map(text)
        .filter(Boolean)
        .map(line => element('p', {}, line)),
      timing(activity.timestamps),
    ),
  )
}

function drawPairs(pairs) {
  return element('dl', {}, ...pairs.flatMap(([key, value]) => [element('dt', {}, key), element('dd', {}, text(value))]))
}
