import type { Clock } from './clock.ts'

/** Severity, least to most urgent. `silent` writes nothing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const LOG_FORMATS = ['text', 'json'] as const
type LogFormat = (typeof LOG_FORMATS)[number]

type Fields = Readonly<Record<string, unknown>>
type Write = (message: string, fields?: Fields) => void

/** One line per event: a message for people, fields for machines. Secrets given at creation never come out. */
export interface Log {
  debug: Write
  info: Write
  warn: Write
  error: Write
}

export interface LogOptions {
  level: LogLevel
  format: LogFormat
  /** Strings that must never be written; replaced by `[redacted]` wherever they appear. */
  secrets?: readonly string[]
  /** Where lines go, newline included. Default: standard error, so that standard output stays for answers. */
  write?: (line: string) => void
}

export function createLog(options: LogOptions): Log {
  const { level, format, write = line => void process.stderr.write(line) } = options
  const secrets = (options.secrets ?? []).filter(secret => secret.length > 0)
  const render = format === 'json' ? renderJson : renderText
  return forwardLog(level, (name, message, fields) => write(`${redact(render(name, message, fields), secrets)}\n`))
}

/** A log that is written elsewhere: `forward` takes what is urgent enough. */
export function forwardLog(level: LogLevel, forward: (level: LogLevel, message: string, fields: Fields) => void): Log {
  const at = (name: LogLevel): Write =>
    LOG_LEVELS.indexOf(name) < LOG_LEVELS.indexOf(level)
      ? () => {}
      : (message, fields = {}) => forward(name, message, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** A short description of anything thrown: name and message, never a request or its headers. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function redact(line: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line)
}

function renderJson(level: LogLevel, message: string, fields: Fields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })
}

function renderText(level: LogLevel, message: string, fields: Fields): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`)
  return `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}${rest.join('')}`
}

/** Quotes what would be ambiguous, so that a hostile name cannot forge a second log line. */
function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)
}

const oneLine = (message: string) => message.replaceAll(/[\r\n]+/g, ' ')

const EVERY_MS = 60_000

/** Logs one error of each kind a minute: what breaks once on hostile input breaks ten thousand times a second. */
type Complain = (message: string, error: unknown) => void

export function createComplaint(log: Log, clock: Clock): Complain {
  const last = new Map<string, number>()
  return (message, error) => {
    const now = clock.monotonic()
    if (now - (last.get(message) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return
    last.set(message, now)
    log.error(message, { error: describeError(error) })
  }
}
