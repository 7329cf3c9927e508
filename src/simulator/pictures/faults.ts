/** What may go wrong with a picture. */
export type PictureTrouble =
  /** Nothing but a status. */
  | number
  /** The picture, that much later; Infinity: never. */
  | { readonly afterMs: number }
  /** The picture, with zeros behind it up to this size; `declared`: its length is told beforehand. */
  | { readonly megabytes: number; readonly declared?: boolean }
  /** Something else in the picture's place. */
  | { readonly type: string; readonly body: string }

export interface PictureTroubles {
  /**
   * The next `times` pictures whose path fits fail like this, instead of what was arranged before. 0 times: everything
   * works again.
   */
  fail(trouble: PictureTrouble, times?: number, path?: RegExp): void
  /** The trouble with this path, if it is to have any. */
  take(path: string): PictureTrouble | undefined
}

export function createPictureTroubles(): PictureTroubles {
  let arranged: { trouble: PictureTrouble; left: number; path: RegExp } | undefined
  return {
    fail(trouble, times = 1, path = /^/) {
      arranged = { trouble, left: times, path }
    },
    take(path) {
      if (arranged === undefined || arranged.left <= 0 || !arranged.path.test(path)) return undefined
      arranged.left--
      return arranged.trouble
    },
  }
}

/** The answer with the trouble in it; `asked` ends a wait when the client has gone. */
export async function troubled(answer: Response, trouble: PictureTrouble, asked: AbortSignal): Promise<Response> {
  if (typeof trouble === 'number')
    return new Response(null, { status: trouble, headers: { 'content-type': 'text/plain' } })
  if ('type' in trouble) return new Response(trouble.body, { headers: { 'content-type': trouble.type } })
  if ('megabytes' in trouble) return bloated(answer, trouble.megabytes * 1024 * 1024, trouble.declared === true)
  await wait(trouble.afterMs, asked)
  return answer
}

function wait(ms: number, asked: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (ms !== Number.POSITIVE_INFINITY) setTimeout(resolve, ms)
  asked.addEventListener('abort', () => resolve(), { once: true })
  return promise
}

const CHUNK = 64 * 1024

async function bloated(answer: Response, length: number, declared: boolean): Promise<Response> {
  const picture = await answer.bytes()
  const { headers } = answer
  headers.delete('content-length')
  if (declared) {
    const body = Buffer.alloc(length)
    body.set(picture)
    return new Response(body, { headers })
  }
  let left = length - picture.length
  const body = new ReadableStream({
    start: controller => controller.enqueue(picture),
    pull(controller) {
      if (left <= 0) return controller.close()
      controller.enqueue(new Uint8Array(Math.min(CHUNK, left)))
      left -= CHUNK
    },
  })
  return new Response(body, { headers })
}
