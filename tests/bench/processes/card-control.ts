import { takeCommands } from '../support/commands.ts'

/** The least that could pass for a card: its pictures, fetched at the same time and sent as text. Addresses by id. */
function serve(addresses: Readonly<Record<string, readonly string[]>>): string {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    reusePort: false,
    development: false,
    routes: {
      '/v1/users/:id/card.svg': async request => {
        const texts = await Promise.all((addresses[request.params.id] ?? []).map(read))
        return new Response(texts.join(''), { headers: { 'Content-Type': 'image/svg+xml' } })
      },
    },
  })
  return server.url.origin
}

async function read(address: string): Promise<string> {
  const response = await fetch(address)
  return (await response.bytes()).toBase64()
}

takeCommands({ serve })
