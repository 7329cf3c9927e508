// <discord-presence user="ID">: somebody's presence, drawn and kept up to date.

import type { DiscordPresenceElement } from '../../client/element.ts'
import { subscribe } from '../../client/follow.ts'
import type { Presence, State } from '../../client/presence.ts'
import { Pictures } from '../../domain/discord-cdn.ts'
import { draw, moves } from './draw.ts'
import { type Content, type Description, h } from './nodes.ts'
import { patch } from './patch.ts'
import type { View } from './pieces.ts'
import { SETTINGS, STYLE } from './settings.ts'
import { line } from './values.ts'

/** Where this script came from, also as a module, which has no other way to tell that a plain script would understand. */
const SOURCE =
  document.currentScript instanceof HTMLScriptElement
    ? document.currentScript.src
    : /https?:\S+?\/embed\.js/.exec(new Error().stack ?? '')?.[0]

/** Address of the service it is of, with a slash at the end. Within a page it is the page's, of which one is not at its front. */
const HOME = SOURCE ? folderOf(SOURCE) : folderOf(document.baseURI).replace(/\/embed\/(\w+\/)?$/, '/')

function folderOf(address: string): string {
  return new URL('.', address).href
}

const NAME = 'discord-presence'
const sheet = new CSSStyleSheet()
sheet.replaceSync(STYLE)
const pictures = new Pictures(SETTINGS)
/** Pictures that could not be loaded, and when that was: they are tried again later. */
const broken = new Map<string, number>()
const MOST_BROKEN = 500
const BROKEN_FOR = 60_000
const connected = new Set<DiscordPresence>()
const motion = matchMedia('(prefers-reduced-motion: reduce)')
let ticking: number | undefined

function tick(): void {
  for (const element of connected) element.tick()
}

/** Clocks run while somebody may look at them. */
function runClocks(): void {
  clearInterval(ticking)
  if (connected.size === 0 || document.hidden) return
  tick()
  ticking = setInterval(tick, 1000)
}

class DiscordPresence extends HTMLElement implements DiscordPresenceElement {
  static observedAttributes = ['user', 'host', 'show', 'hide', 'layout']
  readonly #root = this.attachShadow({ mode: 'open' })
  #unfollow: (() => void) | undefined
  #presence: Presence | undefined
  #state: State = 'connecting'
  #frame: number | undefined

  constructor() {
    super()
    this.#root.adoptedStyleSheets = [sheet]
    // Errors of pictures do not bubble, but they are seen on the way down.
    this.#root.addEventListener('error', ({ target }) => this.#breaks(target), true)
  }

  /** The presence as it was last told, or undefined. */
  get presence(): Presence | undefined {
    return this.#presence
  }

  get state(): State {
    return this.#state
  }

  connectedCallback(): void {
    if (connected.size === 0) document.addEventListener('visibilitychange', runClocks)
    connected.add(this)
    if (connected.size === 1) runClocks()
    this.#start()
  }

  disconnectedCallback(): void {
    this.#stop()
    connected.delete(this)
    if (connected.size > 0) return
    runClocks()
    document.removeEventListener('visibilitychange', runClocks)
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.isConnected || before === now) return
    if (name === 'user' || name === 'host') this.#start()
    else this.#drawSoon()
  }

  tick(): void {
    if (this.#presence && moves(this.#presence)) this.#drawSoon()
  }

  #start(): void {
    this.#stop()
    this.#presence = undefined
    const [home, id] = [this.#home(), (this.getAttribute('user') ?? '').trim()]
    const isPossible = home !== undefined && /^\d{1,20}$/.test(id)
    this.#enter(isPossible ? 'connecting' : 'unknown')
    if (isPossible) this.#unfollow = subscribe(home, id, (state, presence) => this.#update(state, presence))
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame ?? 0)
    this.#frame = undefined
    this.#unfollow?.()
    this.#unfollow = undefined
  }

  /** Address of the service, with a slash at the end. */
  #home(): string | undefined {
    const host = this.getAttribute('host')?.trim()
    if (!host) return HOME
    const address = `${/^https?:/i.test(host) ? '' : 'https://'}${host.replace(/\/*$/, '/')}`
    return URL.canParse(address) ? new URL(address).href : undefined
  }

  #update(state: State, presence: Presence | undefined): void {
    if (state !== 'lost') this.#presence = presence
    this.#enter(state)
    if (presence) this.#dispatch('presence', presence)
  }

  #enter(state: State): void {
    const changed = this.#state !== state
    this.#state = state
    this.#drawSoon()
    if (changed) this.#dispatch('state', state)
  }

  #dispatch(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }

  /** Draws with the next frame: however many changes come before it, and not while nobody can see it. */
  #drawSoon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.#draw()
    })
  }

  #draw(): void {
    patch(this.#root, [
      this.#presence ? draw(this.#presence, this.#view(), this.#layout()) : this.#absence(),
      this.#note(),
    ])
  }

  #layout(): string {
    return this.getAttribute('layout')?.trim().toLowerCase() ?? 'card'
  }

  #view(): View {
    const names = (attribute: string) => (this.getAttribute(attribute) ?? '').split(/[\s,]+/)
    const [show, hide] = [names('show'), names('hide')]
    const now = Date.now()
    return {
      now,
      pictures,
      still: motion.matches,
      icon: id => `${this.#home()}app-icons/${id}.png`,
      shows: piece => (piece === 'kv' ? show.includes(piece) : !hide.includes(piece)),
      broken: address => now - (broken.get(address) ?? 0) < BROKEN_FOR,
    }
  }

  #absence(): Description {
    const box = (...content: Content[]) => h('div.waiting', { 'data-layout': this.#layout() }, content)
    if (this.#state !== 'unknown') return box('Connecting …')
    const id = (this.getAttribute('user') ?? '').trim()
    if (id === '') return box('No Discord user id is given.')
    if (!/^\d{1,20}$/.test(id)) return box(`“${line(id, 40)}” is no Discord user id, which is a number.`)
    if (this.#layout() === 'pill') return box('Not monitored')
    return box(h('b', {}, 'Not monitored'), ' Nobody with this id is shown here.', this.#howToAppear())
  }

  /** People appear by themselves; here is what they have to do for it. */
  #howToAppear(): Content {
    const home = this.#home()
    const link = (href: string, text: string) => h('a', { href, target: '_blank', rel: 'noopener' }, text)
    if (home === undefined) return undefined
    if (SETTINGS.invites && home === HOME) {
      return [' People appear as soon as they join the server. ', link(`${home}discord`, 'Join the server')]
    }
    return [' People appear when they join a server that the bot of ', link(home, new URL(home).host), ' is in.']
  }

  #note(): Description {
    return h('div.note', { role: 'status' }, this.#state === 'lost' && 'Connection lost, trying again …')
  }

  #breaks(image: EventTarget | null): void {
    if (broken.size > MOST_BROKEN) broken.clear()
    if (image instanceof Element) broken.set(image.getAttribute('src') ?? '', Date.now())
    this.#drawSoon()
  }
}

// A second copy of this script finds the work done.
if (!customElements.get(NAME)) customElements.define(NAME, DiscordPresence)

export type { DiscordPresence }
