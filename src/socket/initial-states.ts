import type { PresenceStore } from '../domain/presence-store.ts'
import type { Sequence } from '../sequence.ts'
import { createFrame, type Frame } from './frame.ts'
import { type Follow, initStateFrame } from './protocol.ts'
import type { Session } from './session.ts'

/** An INIT_STATE and its sequence number. */
export interface InitialState {
  readonly seq: number
  readonly frame: Frame
}

/** Makes the answers to op 2. */
export interface InitialStates {
  /** One presence, `{}` for somebody unknown; or a map by id, unknown ids left out. */
  make(session: Session, follow: Follow): InitialState
  /** Something changed: the INIT_STATE of everybody, shared until now, is given to nobody any more. */
  outdated(): void
}

export function createInitialStates(presences: PresenceStore, sequence: Sequence): InitialStates {
  let shared: InitialState | null = null

  function state(body: string): InitialState {
    const seq = sequence.next()
    return { seq, frame: createFrame(initStateFrame(seq, body)) }
  }

  // Concatenation makes a rope of the presences' own texts, which is laid out flat once, when it is sent.
  function map(ids: Iterable<string>): string {
    let entries = ''
    for (const id of ids) {
      const snapshot = presences.snapshot(id)
      if (snapshot !== undefined) entries += `${entries === '' ? '' : ','}"${id}":${snapshot.json}`
    }
    return `{${entries}}`
  }

  function one(id: string | null): string {
    const snapshot = id === null ? undefined : presences.snapshot(id)
    return snapshot?.json ?? '{}'
  }

  return {
    make(session, follow) {
      if (follow.kind === 'followOne') return state(one(follow.id))
      if (follow.kind === 'followMany') return state(map(follow.ids))
      // A socket that has seen a later number must not see this one.
      if (shared === null || shared.seq <= session.lastInitState) shared = state(map(presences.ids()))
      return shared
    },
    outdated() {
      shared = null
    },
  }
}
