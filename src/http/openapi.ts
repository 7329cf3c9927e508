import type { TSchema } from '@sinclair/typebox'
import type { DocumentDecoration } from 'elysia'
import { type ApiError, rateLimited } from '../domain/errors.ts'
import { failureExample, type Parameter } from './schema.ts'

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
  readonly description?: string
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
    parameters: told.parameters?.map(parameter => ({ ...parameter, required: parameter.in === 'path' })),
    requestBody: told.body && { required: true, ...told.body, content: media(told.body.content) },
    security: told.key ? [{ key: [] }, { bearer: [] }] : [],
    responses: Object.fromEntries([...told.answers.map(success), ...failures.map(failed)]),
  }
  // Elysia's types are those of OpenAPI 3.0; the document is 3.1, whose schemas are plain JSON Schema.
  return { detail: detail as unknown as DocumentDecoration }
}

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
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Failure' }, examples } }
  const headers = errors.some(error => 'Retry-After' in error.headers)
    ? { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } }
    : undefined
  return [status, { description: errors.map(error => error.message).join('; '), headers, content }] as const
}
