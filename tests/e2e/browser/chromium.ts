import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

export const CHROMIUM = '/usr/bin/chromium'
/** Whether there is one; tests in a browser are skipped where not. */
export const found = existsSync(CHROMIUM)

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const startChromium = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: FLAGS })

/** For a page to evaluate: resolves when every picture of a presence is there, or could not be had. */
export const PICTURES_LOADED = `Promise.allSettled([...document.querySelectorAll('discord-presence')]
  .flatMap(shown => [...shown.shadowRoot.querySelectorAll('img')]).map(image => image.decode()))`
