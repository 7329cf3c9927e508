import type { Json } from '../types.ts'

export interface RestContext {
  params: Record<string, string>
  query: URLSearchParams
  body: Json
}

export interface Route {
  method: string
  /** Matches the path after /api/v10; named groups become `params`. */
  path: RegExp
  /** No bot token needed: the secret is in the path. */
  open?: boolean
  /** Not counted by the global limit (docs: Topics, Rate Limits: interaction endpoints). */
  unlimited?: boolean
  answer: (context: RestContext) => Response | Promise<Response>
}

export function json(value: unknown, status = 200): Response {
  return Response.json(value, { status })
}

export function noContent(): Response {
  return new Response(null, { status: 204 })
}

/** An error body (docs: Reference, "Error Messages"; Opcodes and Status Codes, "JSON Error Codes"). */
export function failure(status: number, code: number, message: string, errors?: Json): Response {
  return json(errors ? { message, code, errors } : { message, code }, status)
}

/** 50035 with the tree of what is wrong; keys are paths such as `embeds.0.title`. */
export function invalidForm(problems: readonly Problem[]): Response {
  const errors: Json = {}
  for (const { path, code, message } of problems) {
    let node = errors
    for (const key of path.split('.').filter(Boolean)) {
      node[key] ??= {}
      node = node[key] as Json
    }
    node._errors = [...((node._errors as Json[] | undefined) ?? []), { code, message }]
  }
  return failure(400, 50035, 'Invalid Form Body', errors)
}

/** One thing wrong with a request body. */
export interface Problem {
  path: string
  code: string
  message: string
}
