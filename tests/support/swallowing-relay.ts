import { connect, createServer, type Socket } from 'node:net'

/**
 * A relay that can lose connections as a router does that forgot them: they stay open, and nothing passes any more. Give it
 * the address of a server on loopback.
 */
export async function startRelay(target: string) {
  const { hostname, port } = new URL(target)
  const lost = new WeakSet<Socket>()
  const open = new Set<Socket>()
  let losing = false
  const relay = createServer(client => {
    const server = connect(Number(port), hostname)
    if (losing) lost.add(client)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from)
      from.on('data', data => !lost.has(client) && to.write(data))
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        if (!lost.has(client)) to.destroy()
      })
    }
  })
  await new Promise<void>(resolve => relay.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(relay.address() as { port: number }).port}`,
    /** Loses the connections there are. */
    loseAll() {
      for (const socket of open) lost.add(socket)
    },
    /** Whether new ones are lost from the start. */
    loseNew(wanted: boolean) {
      losing = wanted
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => relay.close(resolve))
    },
  }
}
