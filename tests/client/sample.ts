// What a stranger writes with Eden Treaty. It is compiled, never run: lines that must not compile are marked.

import { treaty } from '@elysiajs/eden'
import type { Api, ClientFrame, Presence, ServerFrame } from 'exoix/client'

const api = treaty<Api>('https://presence.example.org', { parseDate: false })
const headers = { authorization: 'exoix_…' }

async function reads(id: string): Promise<Presence | string> {
  const { data, error } = await api.v1.users({ id }).get()
  if (error) return `${error.status} ${error.value.error.code}`
  const status: 'online' | 'idle' | 'dnd' | 'offline' = data.data.discord_status
  const song: string | null | undefined = data.data.spotify?.song
  const name: string | undefined = data.data.discord_user.username
  const seen: number | null = data.data.last_seen_at
  // @ts-expect-error a presence has no such key
  data.data.mood
  // @ts-expect-error no presence is "invisible"
  if (status === 'invisible') return ''
  // @ts-expect-error song may be null
  song.length
  // @ts-expect-error the presence is inside the envelope
  data.discord_status
  return data.data.activities[0]?.name ?? name ?? `${seen}`
}

async function failures(id: string): Promise<void> {
  const { error } = await api.v1.users({ id }).get()
  switch (error?.status) {
    case 404:
    case 429:
    case 503:
      return
    // @ts-expect-error a read of a presence does not answer so
    case 418:
      return
  }
}

async function own(): Promise<void> {
  await api.v1.users['@me'].get({ headers })
  await api.v1.users({ id: '@me' }).kv({ key: 'location' }).put('Oslo', { headers })
  await api.v1.users({ id: '@me' }).kv.patch({ location: 'Oslo', mood: 'calm' }, { headers })
  await api.v1.users({ id: '@me' }).kv({ key: 'location' }).delete(undefined, { headers })
  const { data } = await api.v1.users({ id: '@me' }).kv.get({ headers })
  const location: string | undefined = data?.data.location
  // @ts-expect-error a value is a text
  await api.v1.users({ id: '@me' }).kv({ key: 'location' }).put(5, { headers })
  // @ts-expect-error values are texts
  await api.v1.users({ id: '@me' }).kv.patch({ location: 5 }, { headers })
  // @ts-expect-error pairs cannot be posted
  await api.v1.users({ id: '@me' }).kv.post({ location })
}

async function others(id: string): Promise<void> {
  const harmy = await api.user({ id }).get()
  const nickname: string | null | undefined = harmy.data?.presence.server_name
  const card = await api.v1.users({ id })['card.svg'].get({ query: { theme: 'light' } })
  const svg: string | null = card.data
  const front = await api.get()
  const people: number | undefined = front.data?.data.monitored_user_count
  const health = await api.health.get()
  if (health.error?.status === 503) health.error.value.error.message
  // @ts-expect-error there is no such theme
  await api.v1.users({ id })['card.svg'].get({ query: { theme: 'pink' } })
  // @ts-expect-error there is no such route
  await api.v2.get()
  void [nickname, svg, people]
}

function follows(id: string): void {
  const socket = api.socket.subscribe()
  const ask: ClientFrame = { op: 2, d: { subscribe_to_id: id } }
  socket.on('open', () => socket.send(ask))
  socket.subscribe(({ data: frame }: { data: ServerFrame }) => {
    if (frame.op === 0 && frame.t === 'PRESENCE_UPDATE') frame.d.discord_status
    // @ts-expect-error no such frame is sent
    if (frame.op === 7) return
  })
  // @ts-expect-error a socket is not asked so
  socket.send({ op: 2, d: {} })
}

async function listens(id: string, signal: AbortSignal): Promise<string | undefined> {
  const { data } = await api.v1.users({ id }).events.get({ fetch: { signal } })
  for await (const event of data ?? []) {
    // @ts-expect-error an event may be without data
    event.data.discord_status
    return event.data?.discord_status
  }
}

void [listens, reads, failures, own, others, follows]
