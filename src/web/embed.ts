import type { PictureHosts } from '../domain/discord-cdn.ts'
import activitiesStyle from './activities.css' with { type: 'text' }
import connection from './connection.browser.js' with { type: 'text' }
import draw from './draw.browser.js' with { type: 'text' }
import element from './element.browser.js' with { type: 'text' }
import style from './embed.css' with { type: 'text' }
import nodes from './nodes.browser.js' with { type: 'text' }
import pictures from './pictures.browser.js' with { type: 'text' }
import settings from './settings.browser.js' with { type: 'text' }
import times from './times.browser.js' with { type: 'text' }
import values from './values.browser.js' with { type: 'text' }

/** Each after what it imports. */
const MODULES = [settings, values, nodes, pictures, times, draw, connection, element]

/**
 * The script that defines `<discord-presence>`. It is written as modules, and becomes one function that runs as a plain
 * script and as a module alike and leaves no names behind.
 */
export function composeEmbed({ discordCdnUrl, discordMediaUrl, spotifyCdnUrl }: PictureHosts, version: string): string {
  const bases = { cdn: discordCdnUrl, media: discordMediaUrl, spotify: spotifyCdnUrl }
  const body = MODULES.map(joinable).join('\n')
  const filled = body
    .replace('__BASES__', () => literal(bases))
    .replace('__STYLE__', () => literal(squeeze(style + activitiesStyle)))
  return `// <discord-presence>, of Exoix ${version}. MIT licence.\n(() => {\n'use strict'\n${filled}})()\n`
}

/** Without what ties modules together, and without comments, which every visitor would have to load. */
function joinable(module: string): string {
  return module
    .replace(/^import [^']*'.*'\n/gm, '')
    .replace(/^export /gm, '')
    .replace(/^ *(\/\/.*|\/\*\*[\s\S]*?\*\/)\n/gm, '')
}

const squeeze = (css: string) => css.replace(/\s+/g, ' ')

/** JavaScript that may also stand inside a page. */
const literal = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')
