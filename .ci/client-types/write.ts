import { type Document, type Route, readRoutes, type Tree } from './routes.ts'
import { comment, typeOf } from './type-of.ts'

/**
 * The API document as TypeScript: `Api` for Eden Treaty, and a type for each named schema. One file that needs nothing
 * of this project, so that it can be copied.
 */
export function clientTypes(document: Document): string {
  const named = Object.entries(document.components.schemas).map(
    ([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')}\n`,
  )
  return [HEAD, ...named, FRAMES, `interface Routes ${writeTree(readRoutes(document), '')}\n`, API].join('\n')
}

function writeTree(tree: Tree, indent: string): string {
  const deeper = `${indent}  `
  const entries = [...tree].map(([name, entry]) => {
    const key = /^\w+$/.test(name) ? name : `'${name}'`
    if (typeof entry === 'string') return `${deeper}${key}: ${entry}`
    if (entry instanceof Map) return `${deeper}${key}: ${writeTree(entry, deeper)}`
    return `${comment(entry.summary, deeper)}${deeper}${key}: ${writeRoute(entry, deeper)}`
  })
  return `{\n${entries.join('\n')}\n${indent}}`
}

function writeRoute({ body, params, query, headers, answers }: Route, indent: string): string {
  const deeper = `${indent}  `
  const lines = [
    `body: ${body === undefined ? 'undefined' : typeOf(body, deeper)}`,
    `params: ${params.length > 0 ? `{ ${params.map(name => `${name}: string`).join('; ')} }` : 'unknown'}`,
    `query: ${query === undefined ? 'unknown' : typeOf(query, deeper)}`,
    `headers: ${headers ? '{ authorization?: string }' : 'unknown'}`,
    `response: { ${answers.map(([status, type]) => `${status}: ${typeof type === 'string' ? type : typeOf(type, deeper)}`).join('; ')} }`,
  ]
  return `{\n${lines.map(line => deeper + line).join('\n')}\n${indent}}`
}

const HEAD = `// What Exoix answers, for Eden Treaty (https://elysiajs.com/eden/treaty/overview). Written by "bun run client-types" from
// the API document: do not edit. It needs nothing but the types of elysia, which Eden brings along.

import type { Elysia } from 'elysia'

/** A text, as Eden gives it: \`42\`, \`true\` and JSON come as the number, boolean or object they look like. */
export type Text = string | number | boolean | object
`

const FRAMES = `/** What a client may send over the socket. */
export type ClientFrame =
  | { op: 2; d: { subscribe_to_id: string } | { subscribe_to_ids: string[] } | { subscribe_to_all: true } }
  | { op: 3 }
  | { op: 4; d: { unsubscribe_from_id: string } | { unsubscribe_from_ids: string[] } | { unsubscribe_from_all: true } }

/**
 * What the server sends over the socket. INIT_STATE is one presence after \`subscribe_to_id\` (\`{}\` for nobody known), else
 * a map of them by id; \`user_id\` is there unless the socket follows one person.
 */
export type ServerFrame =
  | { op: 1; d: { heartbeat_interval: number } }
  | { op: 0; seq: number; t: 'INIT_STATE'; d: Presence | { [id: string]: Presence } }
  | { op: 0; seq: number; t: 'PRESENCE_UPDATE'; d: Presence & { user_id?: string } }
`

const API = `/** \`treaty<Api>('https://presence.example.org', { parseDate: false })\`: else texts that look like dates become dates. */
export type Api = Elysia<
  '',
  { decorator: {}; store: {}; derive: {}; resolve: {} },
  { typebox: {}; error: {} },
  { schema: {}; standaloneSchema: {}; macro: {}; macroFn: {}; parser: {}; response: {} },
  Routes
>
`
