import type { Config } from '../config.ts'
import type { Readiness } from '../domain/presences.ts'
import type { Log, LogLevel } from '../lib/log.ts'
import type { Readings } from '../lib/metrics.ts'
import type { SharedLimits } from '../lib/shared-limits.ts'
import type { Frame, Position, Slice } from './record.ts'

/** Which of its numbers a thread tells together with where it is. */
export type Measure = 'none' | 'counters' | 'all'

/** What a serving thread is told. Messages arrive in the order in which they were posted. */
export type ToThread =
  /** First of all. The settings are without the bot's secrets: a door needs none. */
  | {
      readonly kind: 'start'
      readonly config: Config
      readonly position: Position
      readonly readiness: Readiness
      readonly limits: SharedLimits
      /** Which of the threads it is, from 0 on. */
      readonly thread: number
    }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'slice'; readonly slice: Slice }
  /** Everybody has been told of: it may open its door. */
  | { readonly kind: 'complete' }
  /** To be answered with `at`, once everything before it is taken in; with its numbers where they are asked for. */
  | { readonly kind: 'mark'; readonly id: number; readonly measure: Measure }
  | { readonly kind: 'answer'; readonly answer: string }
  /** The numbers of all threads as Prometheus text. */
  | { readonly kind: 'numbers'; readonly id: number; readonly text: string }
  | { readonly kind: 'stop' }

/** What a serving thread tells. */
export type FromThread =
  | { readonly kind: 'serving'; readonly url: string }
  /** It cannot open its door; the sentence is for the operator. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'at'; readonly id: number; readonly readings?: Readings }
  | { readonly kind: 'request'; readonly request: string }
  | { readonly kind: 'looked'; readonly userIds: readonly string[] }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly given: Parameters<Log['info']> }
  | { readonly kind: 'numbers'; readonly id: number }
  | { readonly kind: 'stopped' }
