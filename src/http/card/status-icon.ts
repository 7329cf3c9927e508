import { element, type Markup } from './markup.ts'
import { STATUS_COLOURS } from './palette.ts'
import type { Profile } from './subject.ts'

/** Shapes around the origin, 8 pixels to each side, so that a status can be told without seeing colours. */
const SHAPES = {
  online: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0z',
  idle: 'M.49-7.99A8 8 0 1 1-7.99.49A6 6 0 1 0 .49-7.99z',
  dnd: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-3.5-2a2 2 0 0 0 0 4h7a2 2 0 0 0 0-4z',
  offline: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z',
  streaming: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-2.6-4.2v8.4l6.8-4.2z',
  mobile:
    'M-4-9.5h8a2.2 2.2 0 0 1 2.2 2.2v14.6a2.2 2.2 0 0 1-2.2 2.2h-8a2.2 2.2 0 0 1-2.2-2.2v-14.6a2.2 2.2 0 0 1 2.2-2.2zM-4.2-6.3v10h8.4v-10zM-1.3 6.6a1.3 1.3 0 1 0 2.6 0a1.3 1.3 0 1 0-2.6 0z',
} as const

export function statusIcon(profile: Profile, x: number, y: number): Markup {
  const kind = profile.streaming ? 'streaming' : profile.status
  const shape = profile.mobile && kind !== 'streaming' ? 'mobile' : kind
  return element('path', {
    transform: `translate(${x} ${y})`,
    d: SHAPES[shape],
    fill: STATUS_COLOURS[kind],
    'fill-rule': 'evenodd',
  })
}

/** What has to be left free around it, black on white of a mask. */
export function statusGap(profile: Profile, x: number, y: number): Markup {
  const phone = profile.mobile && !profile.streaming
  return phone
    ? element('rect', { x: x - 9.5, y: y - 13, width: 19, height: 26, rx: 5, fill: '#000' })
    : element('circle', { cx: x, cy: y, r: 12, fill: '#000' })
}
