import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readActivityText, readTiming, verbOf } from '../../src/domain/activity.ts'

const START = 1_800_000_000_000

describe('what is told of an activity', () => {
  test.each([
    [{ type: 0, name: 'Chess', details: 'Endgame', state: 'x' }, 'Playing', 'Chess', ['Endgame', 'x']],
    [{ type: 0, name: 'Chess', state: 'Lobby', party: { size: [2, 4] } }, 'Playing', 'Chess', ['Lobby (2 of 4)']],
    [{ type: 1, name: 'Twitch', details: 'Live', state: 'Chess' }, 'Streaming on Twitch', 'Live', ['Chess']],
    [{ type: 2, name: 'Apple Music', details: 'Boats', state: 'Ada' }, 'Listening to Apple Music', 'Boats', ['Ada']],
    [{ type: 3, name: 'A film' }, 'Watching', 'A film', []],
    [{ type: 5, name: 'A cup' }, 'Competing in', 'A cup', []],
    [{ type: 99, name: 'New' }, 'Doing', 'New', []],
    [{ type: '0' }, 'Doing', 'something', []],
  ])('%j', (activity, label, title, lines) => {
    expect(readActivityText(activity)).toMatchObject({ label, title, lines })
  })

  test('of Spotify is the song, its artists and the album', () => {
    const song = { id: 'spotify:1', type: 2, name: 'Spotify', details: 'Boats', state: 'Ada; Grace' }
    expect(readActivityText({ ...song, assets: { large_text: 'Harbour' } })).toMatchObject({
      kind: 'spotify',
      label: 'Listening to Spotify',
      title: 'Boats',
      lines: ['Ada, Grace'],
      album: 'Harbour',
    })
    expect(readActivityText({ id: 'spotify:1' })).toMatchObject({ title: 'A song', lines: [], album: undefined })
  })

  test.each([
    [{ state: 'chilling' }, 'Chilling'],
    [{ state: 'focusing', details: null }, 'In the zone'],
    [{ state: 'custom', details: 'at the harbour' }, 'at the harbour'],
    [{ state: 'custom' }, 'In a voice channel'],
    [{ state: 'constructor' }, 'constructor'],
    [{}, 'In a voice channel'],
  ])('of a hang status %j is how Discord writes it: %s', (fields, title) => {
    const text = readActivityText({ type: 6, name: 'Hang Status', ...fields })
    expect(text).toMatchObject({ kind: 'hang', label: 'Hanging out', title, lines: [] })
  })

  test('is text that is never missing, whatever it was', () => {
    const fields = ['type', 'id', 'name', 'details', 'state', 'assets', 'party', 'timestamps']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), fc.anything()), activity => {
        const { label, title, lines } = readActivityText(activity)
        for (const text of [label, title, ...lines]) expect(text).toMatch(/./)
      }),
    )
  })
})

describe('the times of an activity', () => {
  test.each([
    [{ start: START }, { start: START, end: undefined }],
    [
      { start: START, end: START + 1 },
      { start: START, end: START + 1 },
    ],
    [
      { start: START, end: START },
      { start: START, end: undefined },
    ],
    [
      { start: `${START}`, end: `${START + 1}` },
      { start: START, end: START + 1 },
    ],
    [{ end: START }, { start: undefined, end: START }],
    [
      { start: 0, end: START },
      { start: undefined, end: START },
    ],
    [{ start: 0 }, undefined],
    [{ start: -1, end: 1e300 }, undefined],
    [{ start: 'soon', end: Number.NaN }, undefined],
    [{ start: '1e3', end: [START] }, undefined],
    [[START], undefined],
    [null, undefined],
  ])('%j', (timestamps, timing) => expect(readTiming(timestamps)).toEqual(timing as ReturnType<typeof readTiming>))
})

test('every type of activity has a verb, known or not', () => {
  expect([0, 1, 2, 3, 5, 6].map(verbOf)).toEqual([
    'Playing',
    'Streaming',
    'Listening to',
    'Watching',
    'Competing in',
    'Hanging out',
  ])
  for (const odd of [-1, 7, 99, 0.5, '0', null, undefined, {}]) expect(verbOf(odd)).toBe('Doing')
})
