import type { Json, Status, User } from '../types.ts'
import { ARTLESS, EMOJIS, GAMES, type Game, type StatusText } from './catalogue.ts'
import type { Change } from './person.ts'

/** Somebody of the demo with a face and habits of their own. */
export interface Role {
  readonly user: Partial<User>
  readonly status: Status
  readonly platforms: readonly string[]
  /** Shown in turn. */
  readonly statuses: readonly StatusText[]
  /** Played all the time. */
  readonly game?: Game
  readonly listens: boolean
  /** What changes, gone through in a circle; empty: nothing ever does. */
  readonly plan: readonly Change[]
  /** What they keep at the bot. */
  readonly pairs: Readonly<Record<string, string>>
}

const [MOSS, KETTLE] = EMOJIS
const [DRIFT, , TIDES, , , VOYAGE] = GAMES

/** Between them they show everything there is to show; the last one leaves at the beginning. */
export const CAST: readonly Role[] = [
  {
    user: {
      username: 'ada.moss',
      global_name: 'Ada Okonkwo',
      avatar: 'deb46b9c5ff364ef441ed442775663d8',
      banner: '5c1a0f3b7d9e2846a1b3c5d7e9f01234',
      accent_color: 0x3f7d58,
      ...tag('MOSS', 'c1df6cfef5c6f230bfce23ccffc8d68a'),
      ...decoration('a_9ccb619c2100822a43ee2c0a20bcdc0f'),
    },
    status: 'online',
    platforms: ['desktop', 'mobile'],
    statuses: [
      { text: 'ask me about moss', emoji: MOSS },
      { text: 'kettle is on', emoji: KETTLE },
    ],
    game: DRIFT,
    listens: true,
    plan: ['status', 'custom', 'platform', 'music', 'status', 'game'],
    pairs: { location: 'Lagos', pronouns: 'she/her', site: 'https://ada.example', mood: 'mossy 🌿' },
  },
  {
    user: {
      username: 'chidi',
      global_name: 'Chidi',
      avatar: 'a_c3f21512040a60906165788d672bcca5',
      accent_color: 0xc2603a,
      ...tag('TIDE', '044ec7cf3dee21b3f3a4cb1b6c3e06f4'),
    },
    status: 'dnd',
    platforms: ['web'],
    statuses: [{ text: 'deep work', emoji: { name: '🎧' } }, { text: 'brb, tea' }],
    listens: false,
    plan: ['watching', 'status', 'game', 'platform', 'custom', 'game'],
    pairs: { location: 'Enugu', editor: 'vim' },
  },
  {
    user: {
      username: 'hikari',
      global_name: '星野ひかり',
      avatar: '316181d9692298ed66e45673a5118844',
      ...decoration('265f707a487bbb8a54347fac09cc1860'),
    },
    status: 'idle',
    platforms: ['mobile'],
    statuses: [{ text: '電車の中 🚃' }, { text: '北の灯を聴いています', emoji: { name: '🎵' } }],
    listens: true,
    plan: ['platform', 'custom', 'status', 'music', 'platform', 'status'],
    pairs: { location: '札幌', now_reading: '夜行' },
  },
  {
    user: {
      username: 'wilhelmina.featherstonehaugh.ngo',
      global_name: 'Wilhelmina Featherstonehaugh-Ngo',
      avatar: 'ef16eb6dd32f3d3503ad80c32f23e9a0',
      ...tag('LONG', 'e50d4a282c29b93ec499391b09903dc9'),
    },
    status: 'online',
    platforms: ['desktop', 'vr', 'embedded'],
    statuses: [
      {
        text: 'on the night train from one end of the line to the other, reading a very long book about very short letters, back on Monday',
        emoji: MOSS,
      },
    ],
    game: VOYAGE,
    listens: true,
    plan: ['custom', 'platform', 'music', 'status'],
    pairs: { motto: 'Whatever is worth saying is worth saying at length, with commas, and twice.' },
  },
  {
    user: { username: 'noor', global_name: 'نور الهدى', avatar: null },
    status: 'idle',
    platforms: ['desktop', 'web'],
    statuses: [{ text: null, emoji: KETTLE }, { text: 'أقرأ كتابًا' }],
    game: TIDES,
    listens: false,
    plan: ['custom', 'game', 'platform', 'status'],
    pairs: {},
  },
  {
    user: {
      username: 'otto',
      global_name: 'Otto',
      avatar: 'a9eb46308b3ee2276bf0ae432c54cb58',
      ...tag('MOSS', 'c1df6cfef5c6f230bfce23ccffc8d68a'),
    },
    status: 'online',
    platforms: ['desktop'],
    statuses: [],
    game: ARTLESS,
    listens: false,
    plan: [],
    pairs: { location: 'away' },
  },
]

function tag(text: string, badge: string): Json {
  const worn = { tag: text, identity_guild_id: '880000000000000001', identity_enabled: true, badge }
  return { primary_guild: worn, clan: worn }
}

function decoration(asset: string): Json {
  return { avatar_decoration_data: { sku_id: '1390000000000000002', expires_at: null, asset } }
}
