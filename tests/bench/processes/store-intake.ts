import { setImmediate as turn } from 'node:timers/promises'
import { Checkpoint } from '../../../src/domain/checkpoint.ts'
import { PresenceStore } from '../../../src/domain/presence-store.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { silent } from '../../support/app.ts'
import { now, takeCommands } from '../support/commands.ts'
import { GUILD_ID, makePeople, makeUpdate } from '../support/people.ts'

const presences = new PresenceStore()
let texts: readonly string[] = []

function prepare(count: number): void {
  const people = makePeople(count)
  for (const { member, presence } of people) presences.putMember(GUILD_ID, member, presence)
  texts = [0, 1, 2, 3].flatMap(version => people.map(person => JSON.stringify(makeUpdate(person, version))))
}

/** From now on everything that changes is saved to this file, as it is in the whole application. */
function keep(path: string): void {
  new Checkpoint(openStore(path, { log: silent }), presences, silent)
}

/** Updates a second that are parsed only, or parsed and taken into the store. */
function measure({ updates, store }: { updates: number; store: boolean }): number {
  const began = now()
  for (let index = 0; index < updates; index++) take(index, store)
  return (updates / (now() - began)) * 1000
}

/** Updates in one turn of the event loop: about what one read of a socket holds. */
const READ = 100

/** Updates a second that are taken into the store, with room for what else there is to do between two reads. */
async function measureInTurns(updates: number): Promise<number> {
  const began = now()
  for (let index = 0; index < updates; index++) {
    take(index, true)
    if (index % READ === 0) await turn()
  }
  return (updates / (now() - began)) * 1000
}

function take(index: number, store: boolean): void {
  const update = JSON.parse(texts[index % texts.length] ?? '')
  if (store) presences.patchPresence(update)
}

takeCommands({ prepare, keep, measure, measureInTurns })
