/** A badge of somebody's public flags, drawn: a coloured shape and a white sign on it, both in a square of 20 pixels. */
export interface Badge {
  readonly name: string
  readonly colour: string
  readonly shape: string
  readonly sign: string
}

const DISC = 'M10 1a9 9 0 1 1 0 18a9 9 0 1 1 0-18z'
const SHIELD = 'M10 .8l7.6 2.6v6.2c0 4.6-3.1 7.8-7.6 9.6c-4.5-1.8-7.6-5-7.6-9.6v-6.2z'
const HEXAGON = 'M10 .6l8.1 4.7v9.4l-8.1 4.7l-8.1-4.7v-9.4z'
const SQUARE = 'M5.5 1.5h9a4 4 0 0 1 4 4v9a4 4 0 0 1-4 4h-9a4 4 0 0 1-4-4v-9a4 4 0 0 1 4-4z'

const CODE = 'M7.4 5.9l1.3 1.3l-2.8 2.8l2.8 2.8l-1.3 1.3l-4.1-4.1zM12.6 5.9l4.1 4.1l-4.1 4.1l-1.3-1.3l2.8-2.8l-2.8-2.8z'
const BUG =
  'M10 4.5c1.7 0 2.8 1.2 2.8 2.6h1.9v1.3h-1.7v1.5h2.2v1.3h-2.2c0 .5 0 .9-.1 1.3h1.8v1.3h-2.2c-.6 1.3-1.5 2-2.5 2s-1.9-.7-2.5-2h-2.2v-1.3h1.8c-.1-.4-.1-.8-.1-1.3h-2.2v-1.3h2.2v-1.5h-1.7v-1.3h1.9c0-1.4 1.1-2.6 2.8-2.6z'
const HEART = 'M10 15.6l-4.7-4.7c-2.9-2.9.7-7.5 4.7-4.2c4-3.3 7.6 1.3 4.7 4.2z'
const STAR = 'M10 3.8l1.9 3.9l4.3.6l-3.1 3l.7 4.3l-3.8-2l-3.8 2l.7-4.3l-3.1-3l4.3-.6z'
const BOLT = 'M11.3 3.6l-5.6 7.4h3.6l-.7 5.4l5.7-7.5h-3.7z'
const TWO_BARS = 'M5.5 6.7h9v2.4h-9zM5.5 11h9v2.4h-9z'
const FLAME =
  'M10.3 3.4c.3 2.7 3.9 4.1 3.9 8a4.2 4.2 0 0 1-8.4 0c0-1.7.8-2.9 1.8-3.9c.2 1 .7 1.6 1.3 1.9c-.2-2.3.2-4.4 1.4-6z'
const SPARK = 'M10 3.4c.7 4 2.6 5.9 6.6 6.6c-4 .7-5.9 2.6-6.6 6.6c-.7-4-2.6-5.9-6.6-6.6c4-.7 5.9-2.6 6.6-6.6z'
const CHECK = 'M8.7 14.5l-4-4l1.7-1.7l2.3 2.3l5.1-5.1l1.7 1.7z'
const FLAG = 'M6 4h1.5v.8h6.9l-1.7 2.9l1.7 2.9h-6.9v5.5h-1.5z'

/** In the order in which they are shown. Source: Discord docs, User, "User Flags". */
const BADGES: readonly (readonly [bit: number, badge: Badge])[] = [
  [0, { name: 'Discord staff', colour: '#5865f2', shape: SHIELD, sign: STAR }],
  [1, { name: 'Partnered server owner', colour: '#4087ed', shape: DISC, sign: HEART }],
  [18, { name: 'Moderator programs alumni', colour: '#e67e22', shape: SHIELD, sign: CHECK }],
  [2, { name: 'HypeSquad events', colour: '#d99a1c', shape: HEXAGON, sign: FLAG }],
  [6, { name: 'HypeSquad Bravery', colour: '#8b6cf0', shape: SHIELD, sign: FLAME }],
  [7, { name: 'HypeSquad Brilliance', colour: '#e0685f', shape: HEXAGON, sign: SPARK }],
  [8, { name: 'HypeSquad Balance', colour: '#2bb795', shape: DISC, sign: TWO_BARS }],
  [3, { name: 'Bug hunter', colour: '#3ba55d', shape: DISC, sign: BUG }],
  [14, { name: 'Golden bug hunter', colour: '#d8a02c', shape: DISC, sign: BUG }],
  [22, { name: 'Active developer', colour: '#23a55a', shape: SQUARE, sign: CODE }],
  [17, { name: 'Early verified bot developer', colour: '#5f74e8', shape: SQUARE, sign: BOLT }],
  [9, { name: 'Early supporter', colour: '#e46fb5', shape: DISC, sign: SPARK }],
]

const VERIFIED_BOT = 16

/** Flags may have more bits than JavaScript's bit operators look at. */
const has = (flags: number, bit: number) => Math.floor(flags / 2 ** bit) % 2 === 1

export function readBadges(flags: unknown): readonly Badge[] {
  if (!isFlags(flags)) return []
  return BADGES.filter(([bit]) => has(flags, bit)).map(([, badge]) => badge)
}

export const isVerifiedBot = (flags: unknown) => isFlags(flags) && has(flags, VERIFIED_BOT)

function isFlags(flags: unknown): flags is number {
  return typeof flags === 'number' && Number.isSafeInteger(flags) && flags > 0
}
