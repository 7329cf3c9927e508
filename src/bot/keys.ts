import type { Call, Noun } from './command.ts'
import { type Handover, type KeyDesk, UNSTORED } from './key-delivery.ts'

const REFUSAL = 'You can only perform this command in DMs with me'
const OLD_STAYS = 'Nothing was changed: a key you had stays valid.'

/** What is said in the channel about a key that was sent by DM. */
const OUTCOMES: Readonly<Record<Handover, string>> = {
  given: 'Your new key is in your direct messages.',
  closed: `I cannot send you direct messages. Allow them from members of this server, or use \`/apikey\`. ${OLD_STAYS}`,
  undelivered: `Your key could not be delivered; please try again. ${OLD_STAYS}`,
  unstored: UNSTORED,
}

/** `.apikey`, its slash twin, and `.token`. */
export function keyCommands(desk: KeyDesk): Noun {
  return {
    commands: [
      {
        names: ['apikey'],
        slash: 'apikey',
        summary: 'makes a new API key and revokes the old one (typed: in DMs only)',
        options: [],
        run: call => showKey(desk, call),
      },
      {
        names: ['token'],
        summary: 'sends you a new API key by direct message and revokes the old one',
        options: [],
        run: call => sendKey(desk, call),
      },
    ],
  }
}

async function showKey(desk: KeyDesk, call: Call): Promise<void> {
  if (!call.private) return call.reply(REFUSAL)
  await desk.hand(call.userId, call.reply)
}

async function sendKey(desk: KeyDesk, call: Call): Promise<void> {
  if (call.private) return showKey(desk, call)
  await call.reply(OUTCOMES[await desk.handByDm(call.userId)])
}
