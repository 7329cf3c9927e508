import { type App, startApp } from '../app.ts'
import { type Config, type Environment, isSet, readConfig } from '../config.ts'
import { PortTaken } from '../http/port.ts'
import { startGithubSimulator } from '../simulator/github/github.ts'
import { connectGithubPeople } from '../simulator/github/people.ts'
import { startActors } from '../simulator/people/actors.ts'
import { startSimulator } from '../simulator/simulator.ts'

/**
 * Exoix on a simulated Discord with lively made-up members: no token needed, nothing kept. Says where it listens
 * and what to paste. When the usual port is taken and none was asked for, it takes a free one.
 */
export async function startDemo(env: Environment, say: (text: string) => void): Promise<Pick<App, 'stop' | 'url'>> {
  const config = readConfig(env)
  const simulator = await startSimulator()
  const actors = startActors(simulator)
  const github = startGithubSimulator()
  const shown = [...actors.featuredIds, actors.offlineId]
  const demo: Config = {
    ...config,
    botToken: simulator.token,
    discordApiUrl: simulator.apiUrl,
    discordCdnUrl: simulator.cdnUrl,
    discordMediaUrl: simulator.mediaUrl,
    spotifyCdnUrl: simulator.spotifyUrl,
    featuredUsers: shown,
    githubApiUrl: github.apiUrl,
    githubUrl: github.url,
    githubToken: github.token,
    githubClientId: undefined,
    commandPrefix: '.',
    databasePath: ':memory:',
    logLevel: isSet(env, 'LOG_LEVEL') ? config.logLevel : 'warn',
  }
  const app = isSet(env, 'PORT') ? startApp(demo) : startOnFreePort(demo)
  await Promise.all([app.listening, app.gateway.whenLoaded])
  await app.presences.copies.spread()
  void actors.begin().then(() => connectGithubPeople(simulator, github, actors.featuredIds))
  const people = shown.map(id => ({ id, name: simulator.world.user(id)?.global_name }))
  say(welcome(app.url, people))
  return {
    url: app.url,
    async stop() {
      actors.stop()
      await app.stop()
      await Promise.all([simulator.stop(), github.stop()])
    },
  }
}

function startOnFreePort(config: Config): App {
  try {
    return startApp(config)
  } catch (error) {
    if (!(error instanceof PortTaken)) throw error
    return startApp({ ...config, port: 0 })
  }
}

function welcome(url: string, people: readonly { id: string; name?: unknown }[]): string {
  const id = people[0]?.id ?? ''
  const subscribe = JSON.stringify({ op: 2, d: { subscribe_to_id: id } })
  const socketUrl = `${url.replace(/^http/, 'ws')}/socket`
  return `
Exoix demo: made-up people on a simulated Discord. Nothing is kept.

  Live page   ${url}/
  A card      ${url}/v1/users/${id}/card.svg
  API docs    ${url}/swagger
  People      ${people.map(person => `${person.id}  ${person.name}`).join('\n              ')}

Read a presence:

  curl ${url}/v1/users/${id}

Watch it change:

  curl -N ${url}/v1/users/${id}/events

or over the WebSocket (any client will do):

  npx -y bun@1.4.5 -e 's = new WebSocket("${socketUrl}"); s.onopen = () => s.send(\`${subscribe}\`); s.onmessage = m => console.log(m.data)'

Ctrl-C stops it.
`
}
