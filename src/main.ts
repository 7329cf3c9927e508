#!/usr/bin/env bun
import { version } from '../package.json'
import { type App, startApp } from './app.ts'
import { type BackupPlan, keepBackups } from './commands/backups.ts'
import { check } from './commands/check.ts'
import { type Command, HELP, parseCommand, UsageError } from './commands/cli.ts'
import { startDemo } from './commands/demo.ts'
import { health } from './commands/health.ts'
import { confirmErasure, people, stats, takeMeasure } from './commands/operator.ts'
import { type Config, ConfigError, type Environment, isSet, readConfig } from './config.ts'
import { FatalError } from './domain/errors.ts'
import type { Measure } from './domain/moderation.ts'
import { HINTS } from './domain/operator.ts'
import { startEdge } from './edge.ts'
import { readEnvironment } from './environment.ts'
import { PortTaken } from './http/port.ts'
import { findExoix } from './http/probe.ts'
import { describeError } from './lib/log.ts'
import { createAppLog } from './logging.ts'
import { backup, restore } from './store/backup.ts'
import { importLanyard } from './store/lanyard-import.ts'

/** A stop may take this long before the process leaves anyway: no orchestrator waits much longer. Milliseconds. */
const STOP_TIMEOUT = 8_000
/** Milliseconds between a signal and one that means to leave at once. */
const INSISTING = 1_000

const say = (text: string) => void process.stdout.write(`${text}\n`)

function fail(message: string): never {
  process.stderr.write(`exoix: ${message}\n`)
  process.exit(1)
}

async function run(command: Command): Promise<void> {
  if (command.name === 'help') return say(HELP.trimEnd())
  if (command.name === 'version') return say(version)
  const env = readEnvironment(process.cwd())
  switch (command.name) {
    case 'serve':
      return serve(readServing(env), env)
    case 'hub':
      return hub(readServing(env), env)
    case 'edge':
      return edge(readConfig(env))
    case 'demo':
      return demo(env)
    case 'health':
      return exit(await health(readConfig(env), say))
    case 'check':
      return exit(await check(env, say))
    case 'people':
      return say(await people(readConfig(env), command.text))
    case 'stats':
      return say(await stats(readConfig(env)))
    case 'hide':
    case 'show':
    case 'revoke':
      return measure(command.name, command.userId, readConfig(env))
    case 'erase': {
      const config = readConfig(env)
      if (!command.isSure) await confirmErasure(config, command.userId)
      return measure(command.name, command.userId, config)
    }
    case 'backups':
      return backups(command, readConfig(env))
    case 'backup':
      return say(await backup(readConfig(env).databasePath, command.file))
    case 'restore':
      return say(await restore(command.file, readConfig(env).databasePath, { force: command.force }))
    case 'import': {
      const { databasePath, maxPairsMib } = readConfig(env)
      return say(await importLanyard(command.url, databasePath, maxPairsMib))
    }
  }
}

async function measure(name: Measure, userId: string, config: Config): Promise<void> {
  const { done, text } = await takeMeasure(config, name, userId)
  if (!done) fail(text)
  say(text)
}

/** Goes on until a signal. */
async function backups(plan: Omit<BackupPlan, 'databasePath'>, { databasePath }: Config): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
  const complain = (text: string) => void process.stderr.write(`exoix: ${text}\n`)
  await keepBackups({ ...plan, databasePath }, { say, complain, now: Date.now, sleep: Bun.sleep })
}

const exit = (ok: boolean) => process.exit(ok ? 0 : 1)

/** A missing token is told together with what else is wrong, or alone. */
function readServing(env: Environment): Config {
  try {
    const config = readConfig(env)
    if (config.botToken !== undefined) return config
  } catch (error) {
    if (error instanceof ConfigError && !isSet(env, 'BOT_TOKEN'))
      throw new ConfigError([HINTS.tokenMissing, ...error.mistakes])
    throw error
  }
  throw new FatalError(HINTS.tokenMissing)
}

function serve(config: Config, env: Environment): void {
  stopOnSignal(startApp(config, { env, onFatal: error => fail(error.message) }))
}

/** Without edges to tell there is no use of it. */
function hub(config: Config, env: Environment): void {
  if (config.redisUrl === undefined) throw new FatalError(HINTS.redisMissing)
  stopOnSignal(startApp(config, { env, role: 'hub', onFatal: error => fail(error.message) }))
}

function edge(config: Config): void {
  stopOnSignal(startEdge(config, { log: createAppLog(config), onFatal: error => fail(error.message) }))
}

async function demo(env: Environment): Promise<void> {
  stopOnSignal(await startDemo(env, say))
}

/** SIGTERM and Ctrl-C stop gracefully with exit code 0; whoever insists a second later leaves at once. */
function stopOnSignal(app: Pick<App, 'stop'>): void {
  let stoppingSince: number | null = null
  const stop = async () => {
    if (stoppingSince !== null) {
      // A terminal's Ctrl-C comes twice at once: to the whole group, and handed on by what runs this as a script.
      if (performance.now() - stoppingSince > INSISTING) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    setTimeout(() => fail('could not stop in time'), STOP_TIMEOUT).unref()
    await app.stop()
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
}

// Whoever takes the log may go away; that is no reason to stop serving.
process.stderr.on('error', () => {})
process.stdout.on('error', () => {})

try {
  await run(parseCommand(process.argv.slice(2)))
} catch (error) {
  if (error instanceof UsageError) fail(`${error.message}; see "exoix --help".`)
  if (error instanceof PortTaken && (await findExoix(error)) !== null) {
    fail(HINTS.portTakenByExoix(error.host, error.port))
  }
  if (error instanceof ConfigError || error instanceof FatalError) fail(error.message)
  fail(describeError(error))
}
