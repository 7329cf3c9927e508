import { type TSchema, Type as t } from '@sinclair/typebox'
import type { DocumentDecoration } from 'elysia'
import { type ApiError, rateLimited } from '../domain/errors.ts'
import { KV_KEY, KV_LIMITS } from '../domain/kv-limits.ts'
import { failureExample, SNOWFLAKE } from './schema.ts'

/** A parameter of a route, in the words of OpenAPI. Those in the path are always required. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  readonly schema: TSchema
  /** Whether it must be there; what is in the path must anyway. */
  readonly required?: boolean
}

export const USER_ID: Parameter = { name: 'id', in: 'path', description: 'Whom to tell about', schema: SNOWFLAKE }

export const OWNER_ID: Parameter = {
  name: 'id',
  in: 'path',
  description: "Whose pairs: a Discord id, or `@me` for the key's owner",
  schema: t.String({ pattern: '^(\\d{1,20}|@me)$', examples: ['@me'] }),
}

export const PAIR_KEY: Parameter = {
  name: 'key',
  in: 'path',
  description: 'Name of the pair',
  schema: t.String({ pattern: KV_KEY.source, minLength: 1, maxLength: KV_LIMITS.keyLength, examples: ['location'] }),
}

/** Lets a client ask whether what it has still holds. */
export const IF_NONE_MATCH: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of an answer the client has; 304 when it still holds',
  schema: t.String(),
}

/** One answer that is not a failure. */
interface Success {
  readonly status?: number
  readonly description: string
  /** Media type to schema; none for an answer without a body. */
  readonly content?: Readonly<Record<string, TSchema>>
  readonly example?: unknown
}

interface Operation {
  readonly tag: 'Presence' | 'KV' | 'Avatars' | 'Socket' | 'Service'
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly Parameter[]
  readonly body?: { readonly description: string; readonly content: Readonly<Record<string, TSchema>> }
  readonly answers: readonly Success[]
  readonly failures?: readonly ApiError[]
  readonly key?: boolean
}

/** Says in the API document what a route takes and what it answers, every failure with its own example. */
export function operation(told: Operation): { detail: DocumentDecoration } {
  const failures = byStatus([...(told.failures ?? []), rateLimited(1)])
  const detail = {
    tags: [told.tag],
    summary: told.summary,
    description: told.description,
    parameters: told.parameters?.map(parameter => ({
      ...parameter,
      required: parameter.required ?? parameter.in === 'path',
    })),
    requestBody: told.body && { required: true, ...told.body, content: media(told.body.content) },
    security: told.key ? [{ key: [] }, { bearer: [] }] : [],
    responses: { ...Object.fromEntries([...told.answers.map(success), ...failures.map(failed)]), ...otherwise(told) },
  }
  // Elysia's types are those of OpenAPI 3.0; the document is 3.1, whose schemas are plain JSON Schema.
  return { detail: detail as unknown as DocumentDecoration }
}

/** What {@link operation} says, for a path the router knows by another form. Others get their `operationId` from theirs. */
export const named = (operationId: string, told: Operation) => ({ operationId, ...operation(told).detail })

/** Of an operation whose success is no 2xx: what is not listed is a failure. */
function otherwise({ answers }: Operation) {
  if (answers.some(({ status = 200 }) => status >= 200 && status < 300)) return {}
  return { default: { description: 'A failure', content: media({ 'application/json': FAILURE_REF }) } }
}

const FAILURE_REF = t.Ref('#/components/schemas/Failure')

function success({ status = 200, description, content, example }: Success) {
  return [status, { description, ...(content && { content: media(content, example) }) }] as const
}

function media(content: Readonly<Record<string, TSchema>>, example?: unknown) {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema, ...(example !== undefined && { example }) }]),
  )
}

function byStatus(errors: readonly ApiError[]): [number, ApiError[]][] {
  return [...Map.groupBy(errors, error => error.status)]
}

function failed([status, errors]: [number, ApiError[]]) {
  const examples = Object.fromEntries(errors.map(error => [error.code, { value: failureExample(error) }]))
  const content = { 'application/json': { schema: FAILURE_REF, examples } }
  const headers = errors.some(error => 'Retry-After' in error.headers)
    ? { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } }
    : undefined
  return [status, { description: errors.map(error => error.message).join('; '), headers, content }] as const
}
