import { CONTENT_LIMIT, shorten } from './reply.ts'

const ZERO_WIDTH_SPACE = '\u200b'

/** A short text as inline code: nothing in it can end the code or be a mention. */
export function code(text: string): string {
  return `\`${shorten(text.replaceAll('`', "'").replaceAll(/\s+/g, ' '), 300)}\``
}

/** Makes a text harmless in a code block: no run of back-ticks, no mention of anybody, to the eye the same. */
export function defuse(text: string): string {
  return text
    .replaceAll('`', `\`${ZERO_WIDTH_SPACE}`)
    .replaceAll(/@(?=everyone|here|[!&]?\d)/gi, `@${ZERO_WIDTH_SPACE}`)
    .replaceAll(/<(?=#\d)/g, `<${ZERO_WIDTH_SPACE}`)
}

/** The text in a code block, or null when a message that starts with `intro` cannot hold it. */
export function codeBlock(intro: string, text: string): string | null {
  const block = `${intro}\n\`\`\`\n${defuse(text)}\n\`\`\``
  return block.length <= CONTENT_LIMIT ? block : null
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
