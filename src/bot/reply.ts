import {
  type APIEmbed,
  type APIMessageTopLevelComponent,
  ButtonStyle,
  ComponentType,
  MessageFlags,
  type RESTPostAPIChannelMessageJSONBody,
} from '@discordjs/core/http-only'

/** What the bot says: text of at most 2,000 characters, an embed, a row of buttons. */
export interface Reply {
  readonly content?: string
  readonly embed?: Embed
  readonly buttons?: readonly Button[]
  readonly file?: File
}

/** An attachment. */
interface File {
  readonly name: string
  readonly data: Buffer
  readonly contentType: string
}

interface Embed {
  readonly title: string
  readonly description: string
  /** Addresses of pictures. */
  readonly image?: string
  readonly thumbnail?: string
}

interface Button {
  readonly label: string
  /** Made by {@link actionId}. */
  readonly id: string
  readonly danger?: boolean
  readonly disabled?: boolean
}

/** A form with one field for a long text. */
export interface Form {
  /** Made by {@link actionId}. */
  readonly id: string
  readonly title: string
  readonly field: { readonly name: string; readonly label: string; readonly value: string; readonly maxLength: number }
}

/** Discord docs, Message: the limit of `content`. */
const CONTENT_LIMIT = 2000
/** Discord docs, Message, "Embed Limits". */
const TITLE_LIMIT = 256
const DESCRIPTION_LIMIT = 4096
/** Discord docs, Components: the limit of `custom_id`. */
export const ID_LIMIT = 100

const COLOUR = 0x5865f2
const NOBODY = { parse: [], replied_user: false }

/** Everything a message body needs for this reply; what is left out is emptied when a message is replaced. */
export function renderReply(reply: Reply | string) {
  const { content = '', embed, buttons = [], file }: Reply = typeof reply === 'string' ? { content: reply } : reply
  return {
    content: shorten(content, CONTENT_LIMIT),
    embeds: embed === undefined ? [] : [renderEmbed(embed)],
    components: buttons.length === 0 ? [] : [buttonRow(buttons)],
    allowed_mentions: NOBODY,
    ...(file !== undefined && { files: [file] }),
  } satisfies RESTPostAPIChannelMessageJSONBody & { files?: readonly File[] }
}

function renderEmbed({ title, description, image, thumbnail }: Embed): APIEmbed {
  return {
    title: shorten(title, TITLE_LIMIT),
    description: shorten(description, DESCRIPTION_LIMIT),
    color: COLOUR,
    ...(image !== undefined && { image: { url: image } }),
    ...(thumbnail !== undefined && { thumbnail: { url: thumbnail } }),
  }
}

/** The same, for the caller's eyes only. */
export function renderPrivately(reply: Reply | string) {
  return { ...renderReply(reply), flags: MessageFlags.Ephemeral }
}

/** Which action a button or form starts, for whom, on what. At most {@link ID_LIMIT} characters. */
export function actionId(action: string, userId: string, argument: string): string {
  return `${action}:${userId}:${argument}`
}

export function readActionId(id: string): { action: string; userId: string; argument: string } | null {
  const groups = /^(?<action>[a-z-]+):(?<userId>\d+):(?<argument>.*)$/s.exec(id)?.groups
  return groups === undefined ? null : (groups as { action: string; userId: string; argument: string })
}

/** Cuts a text that is too long, never through a surrogate pair. */
export function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

function buttonRow(buttons: readonly Button[]): APIMessageTopLevelComponent {
  return {
    type: ComponentType.ActionRow,
    components: buttons.map(({ label, id, danger = false, disabled = false }) => ({
      type: ComponentType.Button,
      style: danger ? ButtonStyle.Danger : ButtonStyle.Secondary,
      label,
      custom_id: id,
      disabled,
    })),
  }
}

const ZERO_WIDTH_SPACE = '\u200b'

/** A short text as inline code: nothing in it can end the code or be a mention. */
export function code(text: string): string {
  return `\`${shorten(text.replaceAll('`', "'").replaceAll(/\s+/g, ' '), 300)}\``
}

/** Makes a text harmless in a code block: no run of back-ticks, no mention of anybody, to the eye the same. */
function defuse(text: string): string {
  return text
    .replaceAll('`', `\`${ZERO_WIDTH_SPACE}`)
    .replaceAll(/@(?=everyone|here|[!&]?\d)/gi, `@${ZERO_WIDTH_SPACE}`)
    .replaceAll(/<(?=#\d)/g, `<${ZERO_WIDTH_SPACE}`)
}

/** A stranger's text among ours: nothing in it is markup, a link or a mention. */
export function escapeMarkdown(text: string): string {
  return defuse(text)
    .replaceAll(/[\\*_~|`>#[\]()-]/g, '\\$&')
    .replaceAll('://', `:${ZERO_WIDTH_SPACE}//`)
}

/** The text in a code block, or null when a message that starts with `intro` cannot hold it. */
export function codeBlock(intro: string, text: string): string | null {
  const block = `${intro}\n\`\`\`\n${defuse(text)}\n\`\`\``
  return block.length <= CONTENT_LIMIT ? block : null
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
