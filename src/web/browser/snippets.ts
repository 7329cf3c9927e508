// The ways to use a presence, as tabs, each with the address of this service and the id of the person shown.

import { buildCards, showCard } from './builder.ts'
import { byId } from './dom.ts'

const panels = [...document.querySelectorAll<HTMLElement>('.snippet')]
const codes = panels.map(panel => panel.querySelector('pre code') as HTMLElement)
const templates = codes.map(code => code.textContent ?? '')
let building = false
const tabs = [...document.querySelectorAll<HTMLButtonElement>('.tabs [role="tab"]')]
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener('click', () => selectSnippet(index))
  tab.addEventListener('keydown', event => step(event, index))
}
for (const [index, panel] of panels.entries()) {
  const copier = panel.querySelector<HTMLElement>('.copy')
  const code = codes[index]
  // Code that does not fit is scrolled, which a keyboard can do only where it can go.
  panel.querySelector('pre')?.setAttribute('tabindex', '0')
  if (copier && code) copier.addEventListener('click', () => copy(copier, code))
}

function selectSnippet(chosen: number): void {
  // Nobody who does not look for it loads what it takes.
  if (panels[chosen]?.contains(byId('builder')) && !building) {
    building = true
    buildCards(code => write(chosen, code)).catch(() => {
      building = false
    })
  }
  for (const [index, tab] of tabs.entries()) {
    tab.setAttribute('aria-selected', String(index === chosen))
    tab.tabIndex = index === chosen ? 0 : -1
    ;(panels[index] as HTMLElement).hidden = index !== chosen
  }
}

function step(event: KeyboardEvent, index: number): void {
  const places: Record<string, number> = {
    ArrowRight: index + 1,
    ArrowLeft: index - 1,
    Home: 0,
    End: tabs.length - 1,
  }
  const to = places[event.key]
  if (to === undefined) return
  event.preventDefault()
  const next = (to + tabs.length) % tabs.length
  selectSnippet(next)
  tabs[next]?.focus()
}

/** Fills the code with a person's id. */
export function showSnippets(id: string): void {
  // What the operator calls this place; else where the visitor has found it.
  const base = (document.documentElement.dataset.base || new URL('.', location.href).href).replace(/\/+$/, '')
  const names: Record<string, string> = {
    BASE: base,
    SOCKET: base.replace(/^http/, 'ws'),
    HOST: base.replace(/^https?:\/\//, ''),
    SECURE: String(base.startsWith('https:')),
    USER_ID: id || 'USER_ID',
  }
  for (const [index, code] of codes.entries()) {
    const filled = templates[index]?.replace(/BASE|SOCKET|HOST|SECURE|USER_ID/g, name => names[name] ?? name)
    code.textContent = filled ?? ''
  }
  document.documentElement.setAttribute('data-filled', '')
  showCard(base, id)
}

function write(index: number, code: string): void {
  const place = codes[index]
  if (place) place.textContent = code
}

async function copy(button: HTMLElement, code: HTMLElement): Promise<void> {
  // Without HTTPS browsers have no clipboard for pages: then the text is selected for the reader to copy.
  const clipboard: Clipboard | undefined = navigator.clipboard
  const copied = await (clipboard?.writeText(code.textContent ?? '') ?? Promise.reject()).then(
    () => true,
    () => false,
  )
  if (!copied) getSelection()?.selectAllChildren(code)
  button.textContent = copied ? 'Copied' : 'Selected'
  setTimeout(() => {
    button.textContent = 'Copy'
  }, 2000)
}
