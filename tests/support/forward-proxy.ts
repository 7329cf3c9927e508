import { connect, createServer, type Socket } from 'node:net'

/** A proxy on loopback that makes tunnels (CONNECT) and notes where to, and with what right. */
export async function startForwardProxy() {
  const tunnels: { target: string; authorization: string | undefined }[] = []
  const open = new Set<Socket>()
  const server = createServer(client => {
    open.add(client)
    client.on('error', () => {})
    client.once('data', head => {
      const [, target = ''] = /^CONNECT (\S+) /.exec(head.toString()) ?? []
      tunnels.push({ target, authorization: /^proxy-authorization: (.*)\r$/im.exec(head.toString())?.[1] })
      const [host, port] = target.split(':')
      const onward = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
        client.pipe(onward)
        onward.pipe(client)
      })
      open.add(onward)
      onward.on('error', () => client.destroy())
      client.on('close', () => onward.destroy())
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    tunnels,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
