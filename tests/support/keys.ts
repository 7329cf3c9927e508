import type { Keys } from '../../src/domain/keys.ts'

/** Makes somebody a key, as the bot does when it was delivered. */
export async function issueKey(keys: Keys, userId: string): Promise<string> {
  const { key, activate } = keys.draft(userId)
  await activate()
  return key
}
