import { ApiError } from '../domain/errors.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { KeptData, Privacy } from '../domain/privacy.ts'
import { MINUTE } from '../lib/clock.ts'
import type { Addresses } from './addresses.ts'
import { type Action, type CommandContext, type CommandGroup, invocation, WrongUsage } from './command.ts'
import { actionId, code, plural, type Reply } from './reply.ts'
import { type Sender, UndeliveredError } from './sender.ts'

export interface PrivacyDeps {
  readonly privacy: Privacy
  readonly presences: PresenceStore
  readonly sender: Sender
  readonly addresses: Addresses
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const ACTION = 'erase'
const CONFIRM = 'confirm'
/** How long the confirm button works, milliseconds. */
const PATIENCE = 5 * MINUTE

/** `.privacy hide|show|delete` and their slash twins. */
export function privacyCommands(deps: PrivacyDeps): CommandGroup {
  const { privacy, presences } = deps
  return {
    title: 'Privacy',
    groups: { privacy: 'What is shown and kept of you' },
    commands: [
      {
        names: ['privacy hide'],
        slash: 'privacy hide',
        summary: 'hides you everywhere',
        options: [],
        async run(context) {
          const back = code(invocation(context, 'privacy show', 'privacy show'))
          const hidden = `You are hidden: nobody can see your presence or pairs here. ${back} undoes it.`
          const caveat = await caveatOf(privacy.hide(context.userId))
          await context.reply(caveat === undefined ? hidden : `${hidden} ${caveat}`)
        },
      },
      {
        names: ['privacy show'],
        slash: 'privacy show',
        summary: 'shows you again',
        options: [],
        async run(context) {
          const shown = await privacy.show(context.userId)
          if (!shown) return context.reply('You stay hidden: whoever runs this wants it so. Ask them.')
          await context.reply(presences.has(context.userId) ? 'You are visible.' : NOT_MONITORED)
        },
      },
      {
        names: ['privacy delete'],
        slash: 'privacy delete',
        summary: 'erases everything saved about you',
        options: [{ name: CONFIRM, description: 'The word', kind: 'word', optional: true, prefixOnly: true }],
        run: context => askOrErase(deps, context),
      },
      {
        names: ['privacy export'],
        slash: 'privacy export',
        summary: 'sends you all that is kept of you, as a file, by direct message',
        options: [],
        run: context => sendKept(deps, context),
      },
    ],
    actions: [eraseButton(deps)],
  }
}

/** Pairs beyond this many characters are left out of the file, which Discord would not take. */
const MOST_PAIRS = 1_500_000

async function sendKept({ privacy, sender, addresses }: PrivacyDeps, context: CommandContext): Promise<void> {
  const kept = describeKept(privacy.kept(context.userId), addresses)
  if (context.private && context.prefix !== null) return context.reply(kept)
  try {
    await sender.toPerson(context.userId, kept)
  } catch (error) {
    if (!(error instanceof UndeliveredError)) throw error
    // Nobody but the caller sees the answer to a slash command.
    if (context.private) return context.reply(kept)
    return context.reply(
      'I cannot send you direct messages. Allow them from members of this server, or use `/privacy export`.',
    )
  }
  await context.reply('It is in your direct messages.')
}

function describeKept(kept: KeptData, addresses: Addresses): Reply {
  const pairs = Object.entries(kept.kv)
  const fits = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0) <= MOST_PAIRS
  const elsewhere = `too large for this file: they are at ${addresses.pairs(kept.user_id)}`
  const json = JSON.stringify({ ...kept, kv: fits ? kept.kv : elsewhere }, null, 2)
  const lines = [
    'This is all that is kept of you here:',
    `- your user object, status and activities as Discord tells them, and ${plural(kept.servers.length, 'server')} that we share`,
    `- ${plural(pairs.length, 'key-value pair')}${fits ? '' : `, ${elsewhere}`}`,
    `- ${plural(kept.api_keys, 'API key')}, as a hash`,
    `- ${kept.github === null ? 'no GitHub account' : 'your GitHub account'}`,
    `- ${kept.history === null ? 'no history' : 'the history you asked for'}`,
    `- that you are ${kept.hidden ? 'hidden' : 'not hidden'}`,
  ]
  const data = Buffer.from(`${json}\n`)
  return {
    content: lines.join('\n'),
    file: { name: `exoix-${kept.user_id}.json`, data, contentType: 'application/json' },
  }
}

/** Not hidden is not shown: they may be in no server, or lack the role that is asked for. */
const NOT_MONITORED =
  'You are not hidden, but nobody sees you yet: you are shown once you are in a server with me, with the role that is asked for there if one is.'

const NOT_KEPT_YET = 'It could not be written down yet; I go on trying until it is.'

/** What is still to come of a wish that holds here already. Nothing: it is kept, and known everywhere. */
async function caveatOf(wish: Promise<number>): Promise<string | undefined> {
  try {
    const unreached = await wish
    if (unreached === 0) return undefined
    if (!Number.isFinite(unreached)) return 'Other servers cannot be reached; they are told as soon as they can.'
    return `${plural(unreached, 'other server')} could not be reached; you stop being shown there within a minute or so.`
  } catch (error) {
    if (error instanceof ApiError && error.code === 'storage_unavailable') return NOT_KEPT_YET
    throw error
  }
}

async function askOrErase(deps: PrivacyDeps, context: CommandContext): Promise<void> {
  const word = context.text(CONFIRM)?.toLowerCase()
  if (word === CONFIRM) return erase(deps, context)
  if (word !== undefined) throw new WrongUsage()
  const way = context.prefix === null ? '' : `, or send ${code(`${context.prefix}privacy delete ${CONFIRM}`)}`
  const count = plural(deps.presences.kv(context.userId).size, 'pair')
  await context.reply({
    content: `This erases your ${count}, your API keys, linked accounts and everything else saved about you, for good. Press the button within five minutes${way}.`,
    buttons: [
      { label: 'Erase everything', id: actionId(ACTION, context.userId, String(deps.now() + PATIENCE)), danger: true },
    ],
  })
}

function eraseButton(deps: PrivacyDeps): Action {
  return {
    name: ACTION,
    async run(context, until) {
      if (deps.now() <= Number(until)) return erase(deps, context)
      await context.reply(`That button has expired. Nothing was erased; ask again with ${code('/privacy delete')}.`)
    },
  }
}

async function erase({ privacy, presences }: PrivacyDeps, context: CommandContext): Promise<void> {
  const count = plural(presences.kv(context.userId).size, 'pair')
  const hide = code(invocation(context, 'privacy hide', 'privacy hide'))
  const now = presences.isHidden(context.userId)
    ? 'You stay hidden.'
    : `While you share a server with me your presence goes on being shown; ${hide} ends that.`
  await privacy.erase(context.userId, () =>
    context.reply(`Erased: ${count}, your API keys, linked accounts and everything else saved about you. ${now}`),
  )
}
