import type { Position } from './record.ts'

/** Names in the engine. Braces: all of them in one slot of a cluster. */
export const namesOf = (prefix: string) => ({
  log: `{${prefix}}:log`,
  requests: `{${prefix}}:req`,
  replies: (edge: string) => `{${prefix}}:rep:${edge}`,
  lease: `{${prefix}}:lease`,
})

export type Names = ReturnType<typeof namesOf>

/** What an edge tells or asks its hub. */
export type EdgeMessage =
  | { readonly kind: 'call'; readonly request: string }
  | { readonly kind: 'looked'; readonly userIds: readonly string[] }
  /** Whom to ask slices of. */
  | { readonly kind: 'begin'; readonly id: number }
  /** Some people of those, from a place in the list on. */
  | { readonly kind: 'slice'; readonly id: number; readonly session: string; readonly from: number }
  /** What it shows by now. */
  | { readonly kind: 'at'; readonly position: Position }
  | { readonly kind: 'bye' }

/** What the hub answers. */
export type HubMessage =
  /** Not before this frame is taken in: whoever wrote reads their own write. */
  | { readonly kind: 'call'; readonly answer: string; readonly after: Position }
  | { readonly kind: 'begun'; readonly id: number; readonly session: string; readonly people: number }
  | { readonly kind: 'slice'; readonly id: number; readonly position: Position; readonly records: string }
  /** The list is not there any more: begin anew. */
  | { readonly kind: 'unknown'; readonly id: number }
