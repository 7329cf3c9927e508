import { LocalCalls } from '../../src/domain/calls.ts'
import { servingContract } from './serving-contract.ts'

servingContract('the truth itself', truth => ({
  presences: truth.presences,
  calls: new LocalCalls(truth),
  settled: async () => {},
  [Symbol.asyncDispose]: async () => {},
}))
