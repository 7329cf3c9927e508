import type { Account } from '../options.ts'
import type { GatewayServer } from './gateway.ts'
import type { Sessions } from './sessions.ts'
import { sendOp } from './wire.ts'

/** What can go wrong between a bot and Discord's gateway. */
export interface Faults {
  /** Closes every connection with this code. */
  closeAll(code?: number, reason?: string): void
  /** Op 7: please reconnect and resume. */
  reconnect(): void
  /** Op 9: the sessions are invalid; `resumable` says whether they may be resumed. */
  invalidateSessions(resumable: boolean): void
  /** Op 1: asks for a heartbeat now. */
  requestHeartbeat(): void
  /** Open connections go dead: nothing is read or acknowledged any more, but they stay open. */
  goSilent(): void
  /** Every connection ends without a close frame. */
  dropTcp(): void
  /** New connections are refused with 503, or (`hang`) accepted and never answered, or answered and then silent. */
  refuseConnections(how: boolean | 'hang' | 'silent'): void
  /** Changes the address that GET /gateway/bot and READY hand out. */
  moveGateway(url: string): void
  /** Sessions are forgotten without a word: a resume will fail. */
  loseSessions(): void
}

export interface Acceptance {
  refusing: boolean | 'hang' | 'silent'
}

export function createFaults(
  gateway: GatewayServer,
  sessions: Sessions,
  account: Account,
  acceptance: Acceptance,
): Faults {
  const sockets = () => [...gateway.sockets()]

  function invalidateSessions(resumable: boolean): void {
    for (const socket of sockets()) {
      gateway.leaveSession(socket)
      sendOp(socket, 9, resumable)
    }
    if (!resumable) loseSessions()
  }

  function loseSessions(): void {
    for (const session of sessions.all()) sessions.forget(session)
  }

  return {
    closeAll(code = 4000, reason = 'Unknown error.') {
      for (const socket of sockets()) socket.data.wire?.close(code, reason)
    },
    reconnect() {
      for (const socket of sockets()) sendOp(socket, 7, null)
    },
    invalidateSessions,
    requestHeartbeat() {
      for (const socket of sockets()) sendOp(socket, 1, null)
    },
    goSilent() {
      for (const socket of sockets()) gateway.silence(socket)
    },
    dropTcp() {
      for (const socket of sockets()) {
        // The session must be without a connection when this returns: what happens next is missed, not lost.
        gateway.leaveSession(socket)
        socket.data.closedWith = 1006
        socket.terminate()
      }
    },
    refuseConnections(how) {
      acceptance.refusing = how
    },
    moveGateway(url) {
      account.gatewayUrl = url
    },
    loseSessions,
  }
}
