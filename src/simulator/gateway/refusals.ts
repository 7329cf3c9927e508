/** A reason to close the connection (docs: Opcodes and Status Codes, "Gateway Close Event Codes"). */
export interface Refusal {
  code: number
  reason: string
}

export const Refused = {
  unknownOpcode: { code: 4001, reason: 'Unknown opcode.' },
  decodeError: { code: 4002, reason: 'Error while decoding payload.' },
  notAuthenticated: { code: 4003, reason: 'Not authenticated.' },
  authenticationFailed: { code: 4004, reason: 'Authentication failed.' },
  alreadyAuthenticated: { code: 4005, reason: 'Already authenticated.' },
  invalidSequence: { code: 4007, reason: 'Invalid seq.' },
  rateLimited: { code: 4008, reason: "You're being rate limited." },
  sessionTimedOut: { code: 4009, reason: 'Session timed out.' },
  invalidShard: { code: 4010, reason: 'Invalid shard.' },
  shardingRequired: { code: 4011, reason: 'Sharding required.' },
  invalidVersion: { code: 4012, reason: 'Invalid API version.' },
  invalidIntents: { code: 4013, reason: 'Invalid intent(s).' },
  disallowedIntents: { code: 4014, reason: 'Disallowed intent(s).' },
} as const satisfies Record<string, Refusal>

/** After one of these the session is gone and a resume is answered with op 9 (same table, column "Reconnect"). */
export const FINAL_CODES: readonly number[] = [4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014]
