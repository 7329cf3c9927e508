import { Elysia } from 'elysia'
import type { PictureHosts } from '../../domain/discord-cdn.ts'
import { embedScript } from '../../web/embed.ts'
import { operation } from '../operation.ts'
import { answer, type Representation } from '../representation.ts'
import { TEXT } from '../schema.ts'

const EMBED = operation({
  tag: 'Presence',
  summary: 'A script that shows presences on any page',
  description: `\`<script src="…/embed.js" async></script>\` defines the element \`<discord-presence user="ID">\`, which draws a
person's presence and keeps it up to date over the socket.`,
  answers: [
    { description: 'The script', content: { 'text/javascript': TEXT } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

export function embedRoutes(hosts: PictureHosts) {
  let script: Representation | undefined

  function send(request: Request): Response | Promise<Response> {
    script ??= embedScript(hosts)
    return answer(script, request)
  }

  return new Elysia({ name: 'embed' }).get('/embed.js', ({ request }) => send(request), EMBED)
}
