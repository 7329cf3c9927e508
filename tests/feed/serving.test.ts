import { LocalCalls } from '../../src/domain/calls.ts'
import { Journal } from '../../src/feed/journal.ts'
import { answerRequest, passLooks, RemoteCalls } from '../../src/feed/remote-calls.ts'
import { Replica } from '../../src/feed/replica.ts'
import { type Served, servingContract, type Truth } from '../domain/serving-contract.ts'

/** A copy in the same thread, whose frames and requests arrive at once. */
function copyOf(truth: Truth): Served {
  const journal = new Journal(truth.presences)
  const replica = new Replica()
  replica.begin({ term: journal.term, number: journal.number })
  const stop = journal.onFrame(frame => replica.apply(frame))
  replica.take(journal.slice([...truth.presences.ids()]))
  replica.complete()
  const local = new LocalCalls(truth)
  const forget = truth.presences.copies.add({ spread: async () => journal.flush() })
  const calls = new RemoteCalls({
    send: request => void answerRequest(local, request).then(answer => calls.answered(answer)),
    looked: looks => passLooks(local, looks),
    patience: 5_000,
  })
  return {
    presences: replica,
    calls,
    async settled() {
      calls.flushLooks()
      journal.flush()
    },
    async [Symbol.asyncDispose]() {
      stop()
      forget()
      journal.stop()
    },
  }
}

servingContract('a copy', copyOf)
