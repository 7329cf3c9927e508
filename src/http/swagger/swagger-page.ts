import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { inlineCsp } from '../inline-csp.ts'
import { type Representation, represent } from '../representation.ts'

/**
 * Everything the page runs comes from here; its validator badge, which would ask a site elsewhere, is off. Addresses are
 * relative, so that it works wherever a proxy puts it; they are used once a slash at the end of the page's own is gone.
 */
const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Exoix API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="swagger/json">/swagger/json</a>.</noscript>
<script>
history.replaceState(null, '', location.href.replace(/\\/+(?=[?#]|$)/, ''))
const add = (tag, properties) => document.head.append(Object.assign(document.createElement(tag), properties))
const draw = () => SwaggerUIBundle({ url: 'swagger/json', dom_id: '#swagger-ui', validatorUrl: null, deepLinking: true })
add('link', { rel: 'stylesheet', href: 'swagger/swagger-ui.css' })
add('script', { src: 'swagger/swagger-ui-bundle.js', onload: draw })
</script>
</body>
</html>
`

let page: Representation | undefined
let scriptAsset: Promise<Representation> | undefined
let styleAsset: Promise<Representation> | undefined

export function swaggerPage(): Representation {
  page ??= represent(() => Buffer.from(HTML), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': inlineCsp(HTML, {
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
    }),
  })
  return page
}

/** Swagger UI's code, embedded as it was published. Compressed when it is first asked for, off the main thread. */
export function swaggerScript(): Promise<Representation> {
  scriptAsset ??= asset(script, 'text/javascript; charset=utf-8')
  return scriptAsset
}

export function swaggerStyle(): Promise<Representation> {
  styleAsset ??= asset(style, 'text/css; charset=utf-8')
  return styleAsset
}

async function asset(file: string, type: string): Promise<Representation> {
  const bytes = Buffer.from(await Bun.file(file).arrayBuffer())
  return represent(() => bytes, { 'Content-Type': type, 'Cache-Control': 'no-cache' })
}
