import type { Schema } from './type-of.ts'

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
  readonly security?: readonly object[]
}

/** As much of an OpenAPI document as matters here. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** A route as Eden's types want it. An answer is a schema, or a type where Eden makes something else of it. */
export interface Route {
  readonly summary: string | undefined
  readonly body: Schema | undefined
  readonly params: readonly string[]
  readonly query: Schema | undefined
  readonly headers: boolean
  readonly answers: readonly (readonly [status: number, type: Schema | string])[]
}

/** Path segments, `:id` for a parameter, down to methods. */
export type Tree = Map<string, Tree | Route | string>

/** Routes whose answers Eden can read: neither pictures, which it would take for text, nor redirects. */
export function readRoutes({ paths }: Document): Tree {
  const root: Tree = new Map()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const segments = path.split('/').filter(Boolean)
      if (operation.responses['101'] !== undefined) at(root, segments).set('subscribe', SOCKET)
      else if (isReadable(path, operation)) at(root, segments).set(method, readRoute(path, operation))
    }
  }
  return root
}

/** Frames belong to no schema of the document: OpenAPI has no words for sockets. */
const SOCKET =
  '{ body: ClientFrame; params: unknown; query: unknown; headers: unknown; response: { 200: ServerFrame } }'

function at(tree: Tree, [segment, ...rest]: readonly string[]): Tree {
  if (segment === undefined) return tree
  const name = segment.replace(/^\{(\w+)\}$/, ':$1')
  const next = tree.get(name) ?? new Map()
  if (!(next instanceof Map)) throw new Error(`${name} is both a method and a part of a path`)
  tree.set(name, next)
  return at(next, rest)
}

function isReadable(path: string, { responses }: Operation): boolean {
  // Eden puts each parameter into a segment of its own.
  if (/[^/]\{|\}[^/]/.test(path)) return false
  const success = Object.entries(responses).filter(([status]) => /^2/.test(status))
  return success.some(([status, { content = {} }]) => status === '204' || answerType(content) !== undefined)
}

function readRoute(
  path: string,
  { summary, parameters = [], requestBody, responses, security = [] }: Operation,
): Route {
  const asked = parameters.filter(parameter => parameter.in === 'query')
  const properties = Object.fromEntries(asked.map(({ name, schema }) => [name, schema]))
  return {
    summary,
    body: Object.values(requestBody?.content ?? {})[0]?.schema,
    params: Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name),
    query: asked.length > 0 ? { type: 'object', properties } : undefined,
    headers: security.length > 0,
    answers: Object.entries(responses).flatMap(([status, { content = {} }]) => {
      // Browsers keep answers and revalidate them without a word; Eden cannot read an answer without a body as JSON.
      if (status === '304') return []
      const type = status === '204' ? "''" : answerType(content)
      return type === undefined ? [] : [[Number(status), type] as const]
    }),
  }
}

/** What Eden makes of an answer, by its media type. Undefined: nothing of use. */
function answerType(content: Content): Schema | string | undefined {
  const json = content['application/json']
  if (json !== undefined) return json.schema
  if (content['text/event-stream'] !== undefined) return EVENTS
  if (content['text/plain'] !== undefined) return 'Text'
  return Object.keys(content).some(type => /^text\/|\+xml$/.test(type)) ? 'string' : undefined
}

const EVENTS = 'AsyncGenerator<{ event?: string; data?: Presence; id?: Text; retry?: number }, void, unknown>'
