import { join } from 'node:path'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import { type Running, start } from '../../support/executable.ts'

const MAIN = join(import.meta.dir, '../../../src/main.ts')

/** The command that runs Exoix from its source. */
export const FROM_SOURCE: readonly string[] = [process.execPath, MAIN]

/** Settings of an Exoix on the simulated Discord, on any port. */
export function settings(simulator: Simulator, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    BOT_TOKEN: simulator.token,
    DISCORD_API_URL: simulator.apiUrl,
    DISCORD_CDN_URL: simulator.cdnUrl,
    DISCORD_MEDIA_URL: simulator.mediaUrl,
    SPOTIFY_CDN_URL: simulator.spotifyUrl,
    ...more,
  }
}

export interface ExoixProcess extends Running {
  readonly url: string
}

export interface ExoixProcessOptions {
  /** Where it keeps its database. */
  readonly folder: string
  readonly env: Record<string, string>
  readonly command?: readonly string[]
}

/** Starts Exoix in a process of its own; resolves once it listens. */
export async function startExoix({ folder, env, command = FROM_SOURCE }: ExoixProcessOptions): Promise<ExoixProcess> {
  const running = start(command, { cwd: folder, env })
  const [, url = ''] = await running.says(/listening url=(\S+)/)
  return { ...running, url, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
