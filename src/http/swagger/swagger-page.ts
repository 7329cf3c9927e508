import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { inlineCsp } from '../inline-csp.ts'
import { type Representation, represent } from '../representation.ts'

/** Everything the page runs comes from here; its validator badge, which would ask a site elsewhere, is off. */
const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Exoix API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/swagger/swagger-ui.css">
<style>body { margin: 0 }</style>
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="/swagger/json">/swagger/json</a>.</noscript>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({ url: '/swagger/json', dom_id: '#swagger-ui', validatorUrl: null, deepLinking: true })</script>
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
