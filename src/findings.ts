/** Something that was looked at: as it should be, good to know, or to be mended before Exoix can do its work. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'WRONG'
  /** What was looked at, in a word or two. */
  readonly topic: string
  readonly text: string
}

export const ok = (topic: string, text: string): Finding => ({ level: 'ok', topic, text })
export const note = (topic: string, text: string): Finding => ({ level: 'note', topic, text })
export const wrong = (topic: string, text: string): Finding => ({ level: 'WRONG', topic, text })
