import type { Upstream } from '../processes/exoix.ts'
import type { Child } from './child.ts'

export interface Application {
  readonly url: string
  /** Ids of the people, all online. */
  readonly ids: readonly string[]
  readonly upstream: Upstream
}

/** Starts Exoix on a simulated Discord where it meets so many people. */
export async function startApplication(
  discord: Child,
  exoix: Child,
  people: number,
  settings: Partial<Upstream> = {},
): Promise<Application> {
  const upstream = await discord.call<Upstream>('start')
  await discord.call('populate', { count: people })
  const url = await exoix.call<string>('start', { ...upstream, ...settings })
  return { url, ids: await exoix.call<string[]>('meet', people), upstream }
}
