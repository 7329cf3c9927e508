// <discord-presence user="ID">: somebody's presence, drawn and kept up to date.

import { follow } from './connection.browser.js'
import { draw, moves } from './draw.browser.js'
import { h, patch } from './nodes.browser.js'
import { createPictures } from './pictures.browser.js'
import { BASES, STYLE } from './settings.browser.js'

/** Where this script came from, also as a module, which has no other way to tell that a plain script would understand. */
const HERE = document.currentScript
  ? document.currentScript.src || document.baseURI
  : (/https?:\S+?\/embed\.js/.exec(new Error().stack)?.[0] ?? document.baseURI)

const NAME = 'discord-presence'
const sheet = new CSSStyleSheet()
sheet.replaceSync(STYLE)
/** Pictures that could not be loaded, and when that was: they are tried again later. */
const broken = new Map()
const MOST_BROKEN = 500
const BROKEN_FOR = 60_000
const connected = new Set()
const motion = matchMedia('(prefers-reduced-motion: reduce)')
let ticking

function tick() {
  for (const element of connected) element.tick()
}

/** Clocks run while somebody may look at them. */
function wind() {
  clearInterval(ticking)
  if (connected.size === 0 || document.hidden) return
  tick()
  ticking = setInterval(tick, 1000)
}

class DiscordPresence extends HTMLElement {
  static observedAttributes = ['user', 'host', 'show', 'hide']
  #root = this.attachShadow({ mode: 'open' })
  #unfollow
  #presence
  #state = 'connecting'
  #frame

  constructor() {
    super()
    this.#root.adoptedStyleSheets = [sheet]
    // Errors of pictures do not bubble, but they are seen on the way down.
    this.#root.addEventListener('error', ({ target }) => this.#breaks(target), true)
  }

  /** The presence as it was last told, or undefined. */
  get presence() {
    return this.#presence
  }

  /** `connecting`, `live`, `unknown` or `lost`. */
  get state() {
    return this.#state
  }

  connectedCallback() {
    if (connected.size === 0) document.addEventListener('visibilitychange', wind)
    connected.add(this)
    if (connected.size === 1) wind()
    this.#start()
  }

  disconnectedCallback() {
    this.#stop()
    connected.delete(this)
    if (connected.size > 0) return
    wind()
    document.removeEventListener('visibilitychange', wind)
  }

  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return
    if (name === 'user' || name === 'host') this.#start()
    else this.#later()
  }

  tick() {
    if (this.#presence && moves(this.#presence)) this.#later()
  }

  #start() {
    this.#stop()
    this.#presence = undefined
    const [home, id] = [this.#home(), this.#id()]
    const possible = home && /^\d{1,20}$/.test(id)
    this.#enter(possible ? 'connecting' : 'unknown')
    if (possible) this.#unfollow = follow(home, id, (state, presence) => this.#hear(state, presence))
  }

  #stop() {
    cancelAnimationFrame(this.#frame)
    this.#frame = undefined
    this.#unfollow?.()
    this.#unfollow = undefined
  }

  #id() {
    return (this.getAttribute('user') ?? '').trim()
  }

  /** Address of the service, with a slash at the end. */
  #home() {
    const host = this.getAttribute('host')?.trim()
    if (!host) return new URL('.', HERE).href
    const address = `${/^https?:/i.test(host) ? '' : 'https://'}${host.replace(/\/*$/, '/')}`
    return URL.canParse(address) ? new URL(address).href : undefined
  }

  #hear(state, presence) {
    if (state !== 'lost') this.#presence = presence
    this.#enter(state)
    if (presence) this.#say('presence', presence)
  }

  #enter(state) {
    const changed = this.#state !== state
    this.#state = state
    this.#later()
    if (changed) this.#say('state', state)
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }

  /** Draws with the next frame: however many changes come before it, and not while nobody can see it. */
  #later() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.#draw()
    })
  }

  #draw() {
    patch(this.#root, [this.#presence ? draw(this.#presence, this.#view()) : this.#absence(), this.#note()])
  }

  #view() {
    const names = attribute => (this.getAttribute(attribute) ?? '').split(/[\s,]+/)
    const [show, hide] = [names('show'), names('hide')]
    const now = Date.now()
    return {
      now,
      pictures: createPictures({ ...BASES, id: this.#id(), still: motion.matches }),
      shows: name => (name === 'kv' ? show : hide).includes(name) === (name === 'kv'),
      broken: address => now - broken.get(address) < BROKEN_FOR,
    }
  }

  #absence() {
    if (this.#state !== 'unknown') return h('div.waiting', {}, 'Connecting …')
    const home = this.#home()
    return h(
      'div.waiting',
      {},
      h('b', {}, 'Nobody with this id is shown here.'),
      ' People appear when they join a server that the bot of ',
      home ? h('a', { href: home, target: '_blank', rel: 'noopener' }, new URL(home).host) : 'this host',
      ' is in.',
    )
  }

  #note() {
    const lost = this.#state === 'lost'
    return h('div.note', { role: 'status' }, lost && 'Connection lost, trying again …')
  }

  #breaks(image) {
    if (broken.size > MOST_BROKEN) broken.clear()
    broken.set(image.getAttribute('src'), Date.now())
    this.#later()
  }
}

// A second copy of this script finds the work done.
if (!customElements.get(NAME)) customElements.define(NAME, DiscordPresence)
