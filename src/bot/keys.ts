import { type CommandContext, type CommandGroup, invocation } from './command.ts'
import { type DeliveryResult, type KeyDelivery, UNSTORED } from './key-delivery.ts'

const REFUSAL = 'You can only perform this command in DMs with me'
const OLD_STAYS = 'Nothing was changed: a key you had stays valid.'

/** What is said in the channel about a key that was sent by DM. */
const OUTCOMES: Readonly<Record<DeliveryResult, string>> = {
  given: 'Your new key is in your direct messages.',
  closed: `I cannot send you direct messages. Allow them from members of this server, or use \`/apikey\`. ${OLD_STAYS}`,
  undelivered: `Your key could not be delivered; please try again. ${OLD_STAYS}`,
  unstored: UNSTORED,
}

/** `.apikey`, its slash twin, and `.token`. */
export function keyCommands(delivery: KeyDelivery): CommandGroup {
  return {
    title: 'Key',
    commands: [
      {
        names: ['apikey'],
        slash: 'apikey',
        summary: 'makes a new API key and revokes the old one (typed: in DMs only)',
        options: [],
        run: context => showKey(delivery, context),
      },
      {
        names: ['token'],
        summary: 'sends you a new API key by direct message and revokes the old one',
        options: [],
        run: context => sendKey(delivery, context),
      },
    ],
  }
}

const words = (context: CommandContext) => ({ command: invocation(context, 'apikey', 'apikey') })

async function showKey(delivery: KeyDelivery, context: CommandContext): Promise<void> {
  if (!context.private) return context.reply(REFUSAL)
  await delivery.deliver(context.userId, words(context), context.reply)
}

async function sendKey(delivery: KeyDelivery, context: CommandContext): Promise<void> {
  if (context.private) return showKey(delivery, context)
  await context.reply(OUTCOMES[await delivery.deliverByDm(context.userId, words(context))])
}
