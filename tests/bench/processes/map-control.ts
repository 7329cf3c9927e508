import { PresenceStore } from '../../../src/domain/presence-store.ts'
import { takeCommands } from '../support/commands.ts'
import { GUILD_ID, makePeople } from '../support/people.ts'
import { collectedHeap } from '../support/usage.ts'

/** People made at once, so that making them leaves little behind. */
const BATCH = 1000

const texts = new Map<string, string>()

/** The least that knows as much: one text a person, by id. Answers the bytes of all texts. */
function fill(count: number): number {
  let bytes = 0
  for (let from = 0; from < count; from += BATCH) {
    const store = new PresenceStore()
    for (const { id, member, presence } of makePeople(BATCH, from)) {
      store.putMember(GUILD_ID, member, presence)
      const encoded = Buffer.from(store.snapshot(id)?.json ?? '')
      bytes += encoded.length
      texts.set(id, encoded.toString())
    }
    Bun.gc(true)
  }
  return bytes
}

takeCommands({ fill, heap: collectedHeap })
