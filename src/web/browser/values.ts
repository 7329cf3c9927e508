import { isObject, type JsonObject } from '../../domain/presence.ts'
import { clean } from '../../domain/text.ts'

// Reads what may be of any type as the type it should have.

export const object = (value: unknown): JsonObject => (isObject(value) ? value : {})
export const objects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Text of a bearable length, or none. Lines and blanks stay. */
export function text(value: unknown, most: number): string {
  if (typeof value !== 'string') return ''
  return value.length > most ? `${value.slice(0, most)}…` : value
}

/** One line of a bearable length, or none. */
export const line = (value: unknown, most = 128): string => text(clean(value), most)
