import { isDoing, readActivityText } from '../domain/activity.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Person } from '../domain/presences.ts'
import { clean } from '../domain/text.ts'
import { STATUS_WORDS } from '../domain/words.ts'
import type { Addresses } from './addresses.ts'
import { type CommandContext, type CommandGroup, invocation } from './command.ts'
import { code, escapeMarkdown, type Reply, shorten } from './reply.ts'

interface ProfileDeps {
  readonly presences: PresenceStore
  readonly addresses: Addresses
  /** Where people find a server that is watched. */
  readonly discordInvite: string | undefined
}

/** How people are seen: `.me`, its twins, and what is said to who does not know the bot. */
export class Profiles {
  readonly #deps: ProfileDeps

  constructor(deps: ProfileDeps) {
    this.#deps = deps
  }

  commands(): CommandGroup {
    return {
      title: 'You',
      commands: [
        {
          names: ['me', 'presence'],
          slash: 'me',
          summary: 'shows how others see you, and your addresses',
          options: [],
          run: context => context.reply(this.#describe(context.userId) ?? this.#absence(context)),
        },
        {
          names: [],
          menu: 'Presence',
          summary: 'shows how somebody is seen',
          options: [{ name: 'user', description: 'Whose', kind: 'word' }],
          run: context => this.#showOther(context),
        },
      ],
    }
  }

  /** Three lines for who turned to the bot without a command: what this is, their address, where to go on. */
  introduce(userId: string, prefix: string): Reply {
    const { presences, addresses } = this.#deps
    const own = presences.has(userId)
      ? `You are at ${addresses.page(userId)}`
      : this.#whyAbsent(userId, `${prefix}privacy show`)
    return {
      content: `I show Discord presences to websites and READMEs: who is online, what they play and hear, and what they say of themselves.
${own}
${code(`${prefix}help`)} lists what I can do; so does ${code('/help')}.`,
    }
  }

  async #showOther(context: CommandContext): Promise<void> {
    const userId = context.text('user') ?? ''
    if (userId === context.userId) return context.reply(this.#describe(userId) ?? this.#absence(context))
    await context.reply(this.#describe(userId) ?? 'That person is not being monitored here.')
  }

  #absence(context: CommandContext): string {
    return this.#whyAbsent(context.userId, invocation(context, 'privacy show', 'privacy show'))
  }

  #whyAbsent(userId: string, show: string): string {
    const { presences, discordInvite } = this.#deps
    if (presences.isHidden(userId)) return `You are hidden: nobody can see you here. ${code(show)} shows you again.`
    if (presences.member(userId) !== undefined && presences.lacksConsent(userId))
      return `You are not shown here before you say so: ${code(show)} shows you.`
    const where =
      discordInvite === undefined ? 'a server that I am in' : `<${discordInvite}>, or any server that I am in,`
    return `I do not see you: join ${where} and your presence appears by itself.`
  }

  /** Undefined for who is not shown. */
  #describe(userId: string): Reply | undefined {
    const { presences, addresses } = this.#deps
    const person = presences.person(userId)
    if (person === undefined) return undefined
    const markdown = addresses.markdown(userId)
    const picture = addresses.picture(userId)
    const parts = [
      describeDoings(person),
      addresses.describe(userId),
      ...(markdown === undefined ? [] : [`For a README:\n\`\`\`md\n${markdown}\n\`\`\``]),
    ]
    return {
      embed: {
        title: short(readName(person)),
        description: parts.join('\n\n'),
        ...(picture !== undefined && { image: picture.card, thumbnail: picture.avatar }),
      },
    }
  }
}

function readName({ id, user }: Person): string {
  const { global_name: displayed, username } = JSON.parse(user) as JsonObject
  return clean(displayed) || clean(username) || id
}

/** As many doings, and as much of a text, as leave room for the addresses. */
const MOST_DOINGS = 5
const LONGEST_TEXT = 100

const short = (text: string) => escapeMarkdown(shorten(text, LONGEST_TEXT))

/** The status and a line for everything they do. */
function describeDoings({ presence }: Person): string {
  const activities = (JSON.parse(presence.activities) as unknown[]).filter(isObject)
  const custom = activities.find(activity => !isDoing(activity))
  const own = clean(custom?.state)
  const doings = activities.filter(isDoing).slice(0, MOST_DOINGS).map(describeDoing)
  return [STATUS_WORDS[presence.status] + (own === '' ? '' : `: ${short(own)}`), ...doings].join('\n')
}

function describeDoing(activity: JsonObject): string {
  const { label, title, lines } = readActivityText(activity)
  const more = short(lines.join(', '))
  return `${short(label)} **${short(title)}**${more === '' ? '' : `: ${more}`}`
}
