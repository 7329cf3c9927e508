import type { History } from '../domain/history.ts'
import type { Addresses } from './addresses.ts'
import { type CommandContext, type CommandGroup, invocation } from './command.ts'
import { code, plural } from './reply.ts'

interface HistoryDeps {
  readonly history: Pick<History, 'on' | 'off' | 'erase' | 'isOn'>
  readonly addresses: Addresses
  /** How long it is kept. */
  readonly days: number
}

/** `.history on|off|delete` and their slash twins. */
export function historyCommands(deps: HistoryDeps): CommandGroup {
  const { history } = deps
  return {
    title: 'History',
    groups: { history: 'What you heard and did, kept if you want it' },
    commands: [
      {
        names: ['history on'],
        slash: 'history on',
        summary: 'keeps and shows what you hear and do from now on',
        options: [],
        run: context => switchOn(deps, context),
      },
      {
        names: ['history off'],
        slash: 'history off',
        summary: 'erases your history and keeps nothing any more',
        options: [],
        async run(context) {
          const wasOn = await history.off(context.userId)
          await context.reply(
            wasOn ? 'Your history is erased, and nothing more is kept of it.' : 'No history of yours was kept.',
          )
        },
      },
      {
        names: ['history delete'],
        slash: 'history delete',
        summary: 'erases your history so far',
        options: [],
        async run(context) {
          const wasOn = await history.erase(context.userId)
          const off = code(invocation(context, 'history off', 'history off'))
          await context.reply(
            wasOn
              ? `Your history so far is erased. What comes is kept anew; ${off} ends that.`
              : 'No history of yours was kept.',
          )
        },
      },
    ],
  }
}

async function switchOn({ history, addresses, days }: HistoryDeps, context: CommandContext): Promise<void> {
  const { userId } = context
  const wasOn = history.isOn(userId)
  await history.on(userId)
  const off = code(invocation(context, 'history off', 'history off'))
  const since = wasOn ? 'What you hear and do is kept already' : 'From now on what you hear and do is kept'
  await context.reply(
    `${since}, for ${plural(days, 'day')}, and everybody can see it at ${addresses.history(userId)}. ${off} ends that and erases it.`,
  )
}
