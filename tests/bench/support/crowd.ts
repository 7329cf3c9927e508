import type { Crowd, Received } from '../processes/socket-load.ts'
import type { Child } from './child.ts'
import { cpuSeconds } from './usage.ts'

/** What arrived of one burst. */
export interface Arrival {
  /** From the first publish until the last socket has everything. */
  readonly seconds: number
  /** CPU seconds the server spent. */
  readonly serverCpu: number
  /** Part of that time in which the clients' process was computing: near 1, they were the bottleneck. */
  readonly clientBusy: number
}

/** Opens `count` sockets and has each of them follow these people. */
export async function connectCrowd(
  clients: Child,
  { url, count, message, greetings = 2 }: Pick<Crowd, 'url' | 'count' | 'message'> & Partial<Crowd>,
): Promise<void> {
  const crowd: Crowd = { url, count, message, greetings }
  await clients.call('connect', crowd)
}

export const followAll = JSON.stringify({ op: 2, d: { subscribe_to_all: true } })
export const follow = (ids: readonly string[]) => JSON.stringify({ op: 2, d: { subscribe_to_ids: ids } })

/** One burst, from a server's `burst` command to the last frame at the last socket. */
export async function measureBurst(server: Child, clients: Child, updates: number): Promise<Arrival> {
  const cpuBefore = await clients.call<number>('expect', updates)
  const serverBefore = cpuSeconds(server.pid)
  const began = await server.call<number>('burst', updates)
  const { at, cpu } = await clients.call<Received>('received')
  const seconds = (at - began) / 1000
  return { seconds, serverCpu: cpuSeconds(server.pid) - serverBefore, clientBusy: (cpu - cpuBefore) / seconds }
}
