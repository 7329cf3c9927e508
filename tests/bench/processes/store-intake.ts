import { createPresenceStore } from '../../../src/presence-store.ts'
import { now, takeCommands } from '../support/commands.ts'
import { GUILD_ID, makePeople, makeUpdate } from '../support/people.ts'

const presences = createPresenceStore()
const people = makePeople(1000)
for (const { member, presence } of people) presences.putMember(GUILD_ID, member, presence)
const texts = [0, 1, 2, 3].flatMap(version => people.map(person => JSON.stringify(makeUpdate(person, version))))

/** Updates a second that are parsed only, or parsed and taken into the store. */
function measure({ updates, store }: { updates: number; store: boolean }): number {
  const began = now()
  for (let index = 0; index < updates; index++) {
    const update = JSON.parse(texts[index % texts.length] ?? '')
    if (store) presences.patchPresence(update)
  }
  return (updates / (now() - began)) * 1000
}

takeCommands({ measure })
