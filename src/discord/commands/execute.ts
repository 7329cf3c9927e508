import { ApiError } from '../../domain/errors.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { type Call, WrongUsage } from './command.ts'
import { UndeliveredError } from './outbox.ts'
import type { Reply } from './reply.ts'

export const SLOW_DOWN =
  'Slow down, please: you are sending commands faster than I may answer. I ignore them for a while.'

/** Does what was asked for and answers with what went wrong, if anything. Never rejects. */
export async function execute(call: Call, usageLine: string, log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof UndeliveredError) return
    await tell(call.reply, explain(error, usageLine, log))
  }
}

/** Says something where nobody waits for the outcome: a failure has been logged and counted. */
export async function tell<T extends Reply | string>(say: (reply: T) => Promise<void>, reply: T): Promise<void> {
  try {
    await say(reply)
  } catch (error) {
    if (!(error instanceof UndeliveredError)) throw error
  }
}

function explain(error: unknown, usageLine: string, log: Log): string {
  if (error instanceof WrongUsage) return usageLine
  if (error instanceof ApiError) return error.message
  log.error('a command failed', { error: describeError(error) })
  return 'Something went wrong on our side'
}
