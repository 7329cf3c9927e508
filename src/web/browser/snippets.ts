// The ways to use a presence, as tabs, each with the address of this service and the id of the person shown.

import { byId } from './dom.ts'

const panels = [...document.querySelectorAll<HTMLElement>('.snippet')]
const codes = panels.map(panel => panel.querySelector('pre code') as HTMLElement)
const templates = codes.map(code => code.textContent ?? '')
const tabs = panels.map(makeTab)
const card = byId<HTMLImageElement>('card')
card.addEventListener('error', () => {
  card.hidden = true
})

function makeTab(panel: HTMLElement, index: number): HTMLButtonElement {
  const tab = document.createElement('button')
  tab.type = 'button'
  tab.role = 'tab'
  tab.id = `tab-${index}`
  tab.textContent = panel.dataset.tab ?? ''
  panel.id = `panel-${index}`
  panel.role = 'tabpanel'
  panel.setAttribute('aria-labelledby', tab.id)
  tab.setAttribute('aria-controls', panel.id)
  tab.addEventListener('click', () => selectSnippet(index))
  tab.addEventListener('keydown', event => step(event, index))
  const copier = document.createElement('button')
  copier.type = 'button'
  copier.className = 'copy'
  copier.textContent = 'Copy'
  copier.ariaLive = 'polite'
  copier.addEventListener('click', () => copy(copier, codes[index] as HTMLElement))
  // Code that does not fit is scrolled, which a keyboard can do only where it can go.
  panel.querySelector('pre')?.setAttribute('tabindex', '0')
  panel.append(copier)
  document.querySelector('.tabs')?.append(tab)
  return tab
}

export function selectSnippet(chosen: number): void {
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
  const base = new URL('.', location.href).href.replace(/\/+$/, '')
  const names: Record<string, string> = {
    BASE: base,
    SOCKET: base.replace(/^http/, 'ws'),
    HOST: base.replace(/^https?:\/\//, ''),
    SECURE: String(location.protocol === 'https:'),
    USER_ID: id || 'USER_ID',
  }
  for (const [index, code] of codes.entries()) {
    const filled = templates[index]?.replace(/BASE|SOCKET|HOST|SECURE|USER_ID/g, name => names[name] ?? name)
    code.textContent = filled ?? ''
  }
  card.hidden = id === ''
  if (id !== '') card.src = `v1/users/${id}/card.svg`
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
