import type { Random } from '../../../src/simulator/random.ts'
import { numberIn } from './numbered.ts'

/** A server that is replaced now and then, as its clients see it. */
export interface Service {
  readonly url: string
  /** False from the moment it is told to end until its successor has answered once. */
  up: boolean
  /** Counts the processes; moves on when one is told to end. */
  generation: number
}

/** Clients that read known people one after the other. */
export interface Pollers {
  readonly answers: number
  /** Requests that got no answer because the process was being replaced. */
  readonly unanswered: number
  /** What must not happen: an answer but 200, no answer while the server is up, a person who gets older. */
  readonly violations: readonly string[]
  stop(): Promise<void>
}

export function poll(service: Service, ids: readonly string[], clients: number, random: Random): Pollers {
  const violations: string[] = []
  let answers = 0
  let unanswered = 0
  let stopped = false
  let seen = new Map<string, number>()
  let seenGeneration = 0

  async function read(id: string): Promise<void> {
    const { generation, up } = service
    const before = generation === seenGeneration ? (seen.get(id) ?? -1) : -1
    try {
      // A connection each: one that is kept may belong to a process that is gone.
      const response = await fetch(`${service.url}/v1/users/${id}`, { headers: { Connection: 'close' } })
      const body = await response.text()
      answers++
      if (response.status !== 200) violations.push(`${response.status} for a known person: ${body}`)
      else if (generation === service.generation) check(id, before, numberIn(body))
    } catch (error) {
      unanswered++
      if (up && service.up && generation === service.generation) violations.push(`no answer: ${error}`)
      // What starts needs the machine more than somebody who is refused.
      await Bun.sleep(20)
    }
  }

  function check(id: string, before: number, number: number): void {
    if (number < before) violations.push(`${id} was read as ${number} after ${before}`)
    if (service.generation !== seenGeneration) {
      seen = new Map()
      seenGeneration = service.generation
    }
    seen.set(id, Math.max(number, seen.get(id) ?? -1))
  }

  async function run(): Promise<void> {
    while (!stopped) await read(random.pick(ids))
  }

  const running = Array.from({ length: clients }, run)
  return {
    get answers() {
      return answers
    },
    get unanswered() {
      return unanswered
    },
    violations,
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
}
