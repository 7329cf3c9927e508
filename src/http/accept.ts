import { readWeights } from './compression.ts'

/** Whether a client would rather see a page than JSON: browsers name text/html, programs ask for anything. */
export function prefersHtml(accept: string | null): boolean {
  if (accept === null) return false
  const weights = readWeights(accept)
  const weight = (type: string, range: string) => weights.get(type) ?? weights.get(range) ?? weights.get('*/*') ?? 0
  return weight('text/html', 'text/*') > weight('application/json', 'application/*')
}
