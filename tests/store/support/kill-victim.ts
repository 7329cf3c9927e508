/** Opens the store named by the first argument and does the writes it is sent, each acknowledged once it is kept. */
import type { KvChange } from '../../../src/domain/kv.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { silent } from './files.ts'

/** A change as it travels between processes. */
export type SentChange =
  | { readonly kind: 'put'; readonly pairs: readonly (readonly [string, string])[] }
  | Exclude<KvChange, { kind: 'put' }>

export interface Order {
  readonly id: number
  readonly userId: string
  readonly change: SentChange
}

const store = openStore(process.argv[2] ?? '', { log: silent })

process.on('message', (message: unknown) => {
  const { id, userId, change } = message as Order
  const wanted = change.kind === 'put' ? { kind: change.kind, pairs: new Map(change.pairs) } : change
  void store.changePairs(userId, wanted).then(() => process.send?.(id))
})
process.send?.('ready')
