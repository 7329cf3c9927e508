import { afterAll } from 'bun:test'
import { openStore } from '../../src/store/sqlite.ts'
import { storeContract } from './contract.ts'
import { scratch, silent } from './support/files.ts'

const space = scratch()
afterAll(() => space[Symbol.dispose]())
let files = 0

storeContract('a store in a file', maxPairsMib =>
  openStore(space.file(`${++files}.db`), { log: silent, ...(maxPairsMib && { maxPairsMib }) }),
)
storeContract('a store in memory', maxPairsMib =>
  openStore(':memory:', { log: silent, ...(maxPairsMib && { maxPairsMib }) }),
)
