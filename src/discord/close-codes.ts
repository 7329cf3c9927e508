import { FatalError } from '../domain/errors.ts'
import { HINTS, SWITCHES } from '../domain/operator.ts'

/** Closes after which no reconnecting helps (docs: Opcodes and Status Codes, "Gateway Close Event Codes"). */
const FATAL_CLOSES: ReadonlyMap<number, string> = new Map([
  [4004, HINTS.tokenRefused],
  [
    4010,
    'Discord refused the shard numbers (close code 4010): start Exoix again, it asks Discord for the number of shards at every start.',
  ],
  [
    4011,
    'The bot is in too many servers for its number of shards (close code 4011): start Exoix again, it asks Discord for the number of shards at every start.',
  ],
  [
    4012,
    'The gateway does not speak version 10 of its protocol any more (close code 4012): update Exoix, or check DISCORD_API_URL if you have set it.',
  ],
  [
    4013,
    'The gateway does not know the intents that Exoix asks for (close code 4013): update Exoix, or check DISCORD_API_URL if you have set it.',
  ],
  [4014, HINTS.intentsOff([SWITCHES.members, SWITCHES.presences])],
])

/** What to tell the operator when the gateway closed with this code; undefined when reconnecting is the answer. */
export function fatalClose(code: number): FatalError | undefined {
  const sentence = FATAL_CLOSES.get(code)
  return sentence === undefined ? undefined : new FatalError(sentence)
}

/** Closes that end the session: Discord takes no RESUME after invalid sequence numbers and timed-out sessions. */
export const endsSession = (code: number) => code === 4006 || code === 4007 || code === 4009 || FATAL_CLOSES.has(code)
