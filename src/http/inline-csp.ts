import { createHash } from 'node:crypto'

/**
 * A Content-Security-Policy for a page that brings everything along: its own inline scripts and styles may run, named by
 * their hashes, and nothing is loaded from anywhere but the given sources.
 */
export function inlineCsp(html: string, sources: Readonly<Record<string, string>>): string {
  const rules = {
    'default-src': '',
    'base-uri': '',
    'form-action': '',
    'frame-ancestors': '',
    ...sources,
    'script-src': `${sources['script-src'] ?? ''} ${hashes(html, 'script')}`,
    'style-src': `${sources['style-src'] ?? ''} ${hashes(html, 'style')}`,
  }
  return Object.entries(rules)
    .map(([name, values]) => `${name} ${values.trim() || "'none'"}`)
    .join('; ')
}

function hashes(html: string, element: 'script' | 'style'): string {
  const blocks = html.matchAll(new RegExp(`<${element}(?: type="module")?>(.*?)</${element}>`, 'gs'))
  return Array.from(blocks, ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(
    ' ',
  )
}
