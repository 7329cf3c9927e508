import { describe, expect, test } from 'bun:test'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Change } from '../../src/domain/presences.ts'

const ada = { id: '1', username: 'ada' }
const online = { status: 'online', client_status: { web: 'online' }, activities: [] }

function setup() {
  const store = new PresenceStore()
  const changes: Change[] = []
  store.onChange(change => changes.push(change))
  const kinds = () => changes.splice(0).map(({ id, kind }) => `${kind} ${id}`)
  const shown = (id: string) => JSON.parse(store.snapshot(id)?.json ?? 'null')
  return { store, kinds, shown }
}

describe('the presence store', () => {
  test('shows a member from the moment they join, offline without a presence', () => {
    const { store, kinds, shown } = setup()
    expect(store.putMember('g', { user: ada })).toBe(true)
    expect(kinds()).toEqual(['joined 1'])
    expect(shown('1')).toMatchObject({ discord_user: { username: 'ada' }, discord_status: 'offline' })
    expect(store.size).toBe(1)
  })

  test('refuses a member without a usable id and an update of somebody unknown', () => {
    const { store, kinds } = setup()
    expect(store.putMember('g', { user: null })).toBe(false)
    expect(store.putMember('g', {})).toBe(false)
    expect(store.patchPresence({ user: { id: '9' }, ...online })).toBe(false)
    expect(store.patchPresence({})).toBe(false)
    expect(store.patchPresence({ user: { id: { toString: () => '1' } } })).toBe(false)
    expect([kinds(), store.size]).toEqual([[], 0])
  })

  test('tells a change once, however many guilds send it', () => {
    const { store, kinds } = setup()
    store.putMember('g', { user: ada })
    store.putMember('h', { user: ada })
    kinds()
    store.patchPresence({ user: { id: '1' }, guild_id: 'g', ...online })
    store.patchPresence({ user: { id: '1' }, guild_id: 'h', ...online })
    expect(kinds()).toEqual(['changed 1'])
  })

  test('of two guilds believes the one that knows better, and each one in its own order', () => {
    const { store, kinds, shown } = setup()
    const tell = (guild: string, status: string, at?: number) =>
      store.patchPresence({ user: { id: '1' }, guild_id: guild, ...online, status, processed_at_timestamp: at })
    const after = (...told: Parameters<typeof tell>) => {
      expect(tell(...told)).toBe(true)
      return shown('1').discord_status
    }
    store.putMember('g', { user: ada })
    store.putMember('h', { user: ada })
    expect(after('g', 'idle', 1)).toBe('idle')
    expect(after('g', 'dnd', 3)).toBe('dnd')
    kinds()
    expect([after('h', 'idle', 1), after('h', 'online', 2), after('h', 'dnd', 3)]).toEqual(['dnd', 'dnd', 'dnd'])
    expect(store.putMember('g', { user: ada }, { ...online, processed_at_timestamp: 2 })).toBe(true)
    expect(kinds()).toEqual([])
    expect(after('h', 'idle')).toBe('idle')
    expect(after('g', 'online', 2)).toBe('online')
    store.removeMember('g', '1')
    expect(after('h', 'dnd', 1)).toBe('dnd')
  })

  test('of two guilds goes on believing the one that knew better when it is put back as it was saved', () => {
    const { store, shown } = setup()
    for (const guild of ['g', 'h']) store.putMember(guild, { user: ada })
    store.patchPresence({ user: { id: '1' }, guild_id: 'g', ...online, status: 'dnd', processed_at_timestamp: 3 })
    const saved = structuredClone(store.person('1'))
    const { store: next, shown: shownNext } = setup()
    if (saved) next.restore(saved)
    for (const each of [store, next]) {
      each.patchPresence({ user: { id: '1' }, guild_id: 'h', ...online, processed_at_timestamp: 2 })
    }
    expect([shown('1').discord_status, shownNext('1').discord_status]).toEqual(['dnd', 'dnd'])
  })

  test('does not believe a guild about somebody who is not in it', () => {
    const { store, kinds, shown } = setup()
    for (const guild of ['g', 'h']) store.putMember(guild, { user: ada }, online)
    store.removeMember('g', '1')
    kinds()
    expect(store.patchPresence({ user: { id: '1', username: 'eve' }, guild_id: 'g', status: 'offline' })).toBe(false)
    expect(shown('1')).toMatchObject({ discord_status: 'online', discord_user: { username: 'ada' } })
    expect(kinds()).toEqual([])
    expect(store.patchPresence({ user: { id: '1' }, guild_id: 'h', status: 'offline' })).toBe(true)
    expect(shown('1').discord_status).toBe('offline')
  })

  test('applies the fields a partial user carries', () => {
    const { store, kinds, shown } = setup()
    store.putMember('g', { user: { ...ada, avatar: 'a' } })
    kinds()
    store.patchPresence({ user: { id: '1', avatar: 'b' } })
    expect(kinds()).toEqual(['changed 1'])
    expect(shown('1').discord_user).toMatchObject({ username: 'ada', avatar: 'b' })
  })

  test('keeps a person until they left the last guild', () => {
    const { store, kinds } = setup()
    store.putMember('g', { user: ada })
    store.putMember('h', { user: ada })
    store.removeMember('g', '1')
    expect(store.has('1')).toBe(true)
    store.removeGuild('h')
    expect(store.snapshot('1')).toBeUndefined()
    expect(kinds()).toEqual(['joined 1', 'left 1'])
    expect(store.size).toBe(0)
  })

  test('ignores the leaving of somebody who is not in that guild', () => {
    const { store } = setup()
    store.putMember('g', { user: ada })
    store.removeMember('h', '1')
    store.removeGuild('h')
    expect(store.has('1')).toBe(true)
  })

  test('forgets members a fresh list does not name', () => {
    const { store } = setup()
    for (const id of ['1', '2', '3']) store.putMember('g', { user: { id } })
    store.putMember('h', { user: { id: '3' } })
    store.retainMembers('g', new Set(['1']))
    expect([...store.ids()]).toEqual(['1', '3'])
  })

  test('a list that names a member without a presence makes them offline, an omitted one keeps what is known', () => {
    const { store, shown } = setup()
    store.putMember('g', { user: ada }, online)
    store.putMember('g', { user: ada })
    expect(shown('1').discord_status).toBe('online')
    store.putMember('g', { user: ada }, 'offline')
    expect(shown('1').discord_status).toBe('offline')
  })

  test('builds a snapshot once until something changes', () => {
    const { store } = setup()
    store.putMember('g', { user: ada })
    const first = store.snapshot('1')
    store.patchPresence({ user: { id: '1' } })
    expect(store.snapshot('1')).toBe(first!)
    store.patchPresence({ user: { id: '1' }, ...online })
    expect(store.snapshot('1')).not.toBe(first!)
  })

  test('a nickname changes the snapshot object and tells nobody', () => {
    const { store, kinds } = setup()
    store.putMember('g', { user: ada, nick: 'a' })
    const first = store.snapshot('1')
    kinds()
    store.putMember('g', { user: ada, nick: 'b' })
    expect(kinds()).toEqual([])
    expect(store.snapshot('1')).not.toBe(first!)
    expect(store.person('1')?.memberships).toEqual([{ guildId: 'g', nick: 'b' }])
  })

  test('shows pairs set before their owner joined and tells every write', () => {
    const { store, kinds, shown } = setup()
    store.setKv('1', new Map([['a', 'b']]))
    expect(kinds()).toEqual([])
    store.putMember('g', { user: ada })
    expect(shown('1').kv).toEqual({ a: 'b' })
    store.setKv('1', new Map([['a', 'b']]))
    expect(kinds()).toEqual(['joined 1', 'changed 1'])
  })

  test('hides a person from every answer and every listener until they show themselves', () => {
    const { store, kinds } = setup()
    store.putMember('g', { user: ada })
    store.setHidden('1', true)
    expect([store.size, store.has('1'), store.snapshot('1'), store.person('1'), [...store.ids()]]).toEqual([
      0,
      false,
      undefined,
      undefined,
      [],
    ])
    store.patchPresence({ user: { id: '1' }, ...online })
    store.setKv('1', new Map([['a', 'b']]))
    expect(kinds()).toEqual(['joined 1', 'left 1'])
    store.setHidden('1', false)
    expect(kinds()).toEqual(['joined 1'])
    expect(JSON.parse(store.snapshot('1')?.json ?? '')).toMatchObject({ discord_status: 'online', kv: { a: 'b' } })
  })

  test('counts hidden people right as they leave and come back', () => {
    const { store } = setup()
    store.setHidden('1', true)
    store.putMember('g', { user: ada })
    store.putMember('g', { user: { id: '2' } })
    expect(store.size).toBe(1)
    store.removeMember('g', '1')
    expect(store.size).toBe(1)
    store.setHidden('1', false)
    expect(store.size).toBe(1)
  })

  test('shows nobody whose presence is awaited before it is known, by whatever way', () => {
    const { store, kinds, shown } = setup()
    const ways: Record<string, (user: object) => unknown> = {
      'a list that says it': user => store.putMember('g', { user }, { ...online, status: 'idle' }),
      'an update': ({ id }: { id?: string }) => store.patchPresence({ user: { id }, ...online, status: 'idle' }),
    }
    for (const [way, tell] of Object.entries(ways)) {
      const user = { id: '7', username: way }
      store.putMember('g', { user }, 'awaited')
      expect([store.size, store.has('7'), store.snapshot('7'), [...store.ids()], store.member('7')?.awaited]).toEqual([
        0,
        false,
        undefined,
        [],
        true,
      ])
      store.setKv('7', new Map([['a', 'b']]))
      store.putMember('g', { user, nick: 'n' })
      store.putMember('h', { user }, 'awaited')
      expect([kinds(), store.member('7')?.awaited, [...store.awaited()].map(({ id }) => id)]).toEqual([[], true, ['7']])
      tell(user)
      expect([kinds(), store.member('7')?.awaited, store.size]).toEqual([['joined 7'], false, 1])
      expect(shown('7').discord_status).toBe('idle')
      for (const guild of ['g', 'h']) store.removeMember(guild, '7')
      kinds()
    }
    store.putMember('g', { user: ada }, 'awaited')
    store.removeGuild('g')
    expect([kinds(), store.size]).toEqual([[], 0])
  })

  test('shows who was awaited as offline when nobody will say, and waits for nobody who is known', () => {
    const { store, kinds, shown } = setup()
    store.putMember('g', { user: ada }, 'awaited')
    store.presumeOffline('1')
    store.presumeOffline('1')
    store.presumeOffline('2')
    expect(kinds()).toEqual(['joined 1'])
    store.patchPresence({ user: { id: '1' }, ...online })
    store.putMember('h', { user: ada }, 'awaited')
    expect([kinds(), shown('1').discord_status, store.member('1')?.awaited]).toEqual([['changed 1'], 'online', false])
  })

  test('names everybody a saver has to write, once, with what to write', () => {
    const { store } = setup()
    store.putMember('g', { user: ada })
    store.putMember('g', { user: { id: '2' } })
    expect([...store.drainDirty().keys()]).toEqual(['1', '2'])
    expect(store.drainDirty().size).toBe(0)
    store.setHidden('1', true)
    store.patchPresence({ user: { id: '1' }, ...online })
    store.putMember('g', { user: { id: '2' }, nick: 'two' })
    store.patchPresence({ user: { id: '2' } })
    store.setKv('2', new Map([['a', 'b']]))
    const touched = store.drainDirty()
    expect([...touched.keys()]).toEqual(['1', '2'])
    expect(touched.get('1')?.presence.status).toBe('online')
    store.removeGuild('g')
    expect([...store.drainDirty()]).toEqual([
      ['1', undefined],
      ['2', undefined],
    ])
  })

  test('puts a saved person back without telling anybody, and lets them leave as usual', () => {
    const { store, kinds, shown } = setup()
    store.putMember('g', { user: ada, nick: 'a' }, online)
    const person = store.drainDirty().get('1')!
    const next = setup()
    next.store.restore(person)
    expect(next.kinds()).toEqual([])
    expect(next.shown('1')).toEqual(shown('1'))
    expect([...next.store.guildIds()]).toEqual(['g'])
    next.store.putMember('g', { user: ada, nick: 'a' }, online)
    expect(next.kinds()).toEqual([])
    next.store.removeMember('g', '1')
    expect(next.kinds()).toEqual(['left 1'])
    expect(kinds()).toEqual(['joined 1'])
  })
})
