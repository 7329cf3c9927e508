import type { Simulator } from './simulator.ts'

/** Sends the bot a direct message and resolves with its answer; empty when the simulator stops before. */
export async function ask(sim: Simulator, userId: string, content: string): Promise<string> {
  const answer = sim.nextMessage(message => message.userId === userId)
  sim.sendMessage({ authorId: userId, content })
  try {
    return (await answer).content
  } catch {
    return ''
  }
}
