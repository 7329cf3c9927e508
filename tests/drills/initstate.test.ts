import { expect, test } from 'bun:test'
import { initStateDrill } from './initstate.ts'

test.each([false, true])(
  'sockets that all ask for everybody at once all get everybody (compressed: %p)',
  async zlib => {
    expect(await initStateDrill({ people: 2000, sockets: 12, zlib })).toMatchObject({ people: 2001 })
  },
  60_000,
)
