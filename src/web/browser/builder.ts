// A form for everything a card can be asked to do, made from the API document, so that it knows no less and no more.

import { byId } from './dom.ts'

/** A parameter as the document has it. */
interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly schema: {
    readonly type?: string
    readonly enum?: readonly string[]
    readonly default?: string | boolean
    readonly pattern?: string
    readonly examples?: readonly string[]
  }
}

type Field = HTMLInputElement | HTMLSelectElement

/** Milliseconds after the last change until the preview is drawn anew. */
const SETTLED = 250

const form = byId<HTMLFormElement>('builder')
const format = byId<HTMLSelectElement>('format')
const card = byId<HTMLImageElement>('card')
const wishes: { readonly parameter: Parameter; readonly field: Field }[] = []
let person = { base: '', id: '' }
let report: (code: string) => void = () => {}
let settling: ReturnType<typeof setTimeout> | undefined

/** Makes the form, once. `write` is given the code for the card whenever it is another one. */
export async function buildCards(write: (code: string) => void): Promise<void> {
  report = write
  format.addEventListener('change', refresh)
  form.addEventListener('input', refresh)
  form.addEventListener('reset', () => setTimeout(refresh))
  form.addEventListener('submit', event => event.preventDefault())
  card.addEventListener('error', () => {
    card.hidden = true
  })
  const document = await (await fetch('swagger/json')).json()
  const parameters: Parameter[] = document.paths['/v1/users/{id}/card.svg'].get.parameters
  for (const parameter of parameters) if (parameter.in === 'query') offer(parameter)
  refresh()
}

/** The card of whom it is about. No id: a placeholder stands for it. */
export function showCard(base: string, id: string): void {
  person = { base, id }
  refresh()
}

function offer(parameter: Parameter): void {
  const field = makeField(parameter)
  field.name = parameter.name
  const label = document.createElement('label')
  const name = document.createElement('code')
  name.textContent = parameter.name
  const words = [name, ` ${(parameter.description ?? '').replaceAll('`', '')}`]
  label.append(...(field.type === 'checkbox' ? [field, ...words] : [...words, field]))
  form.append(label)
  wishes.push({ parameter, field })
}

function makeField({ schema }: Parameter): Field {
  if (schema.enum !== undefined) return makeSelect(schema.enum, String(schema.default ?? ''))
  const field = document.createElement('input')
  if (schema.type === 'boolean') {
    field.type = 'checkbox'
    field.defaultChecked = schema.default === true
  } else {
    field.placeholder = String(schema.default ?? schema.examples?.[0] ?? '')
    field.autocomplete = 'off'
    if (schema.pattern !== undefined) field.pattern = schema.pattern
  }
  return field
}

function makeSelect(values: readonly string[], usual: string): HTMLSelectElement {
  const select = document.createElement('select')
  // What is usual need not be said.
  for (const value of usual === '' ? ['', ...values] : values) {
    select.add(new Option(value || 'as it is', value, value === usual, value === usual))
  }
  return select
}

/** What is asked for beyond the usual, as far as it can be. */
function query(): URLSearchParams {
  const asked = wishes.flatMap(({ parameter: { name, schema }, field }) => {
    const isChoice = field instanceof HTMLInputElement && field.type === 'checkbox'
    const value = isChoice ? String(field.checked) : field.value
    const usual = isChoice ? String(schema.default === true) : String(schema.default ?? '')
    return value === '' || value === usual || !field.validity.valid ? [] : [[name, value]]
  })
  return new URLSearchParams(asked)
}

function refresh(): void {
  report(codeOf(query()))
  clearTimeout(settling)
  // Somebody who types means the last letter, too.
  settling = setTimeout(preview, card.hidden ? 0 : SETTLED)
}

function preview(): void {
  const { id } = person
  card.hidden = id === ''
  const asked = query().toString()
  if (id !== '') card.src = `v1/users/${id}/card.svg${asked && `?${asked}`}`
}

/** How the card is put somewhere. */
function codeOf(asked: URLSearchParams): string {
  const { base, id } = person
  const [who, alt] = [id || 'USER_ID', 'Discord presence']
  const address = (more?: Readonly<Record<string, string>>) => {
    const all = new URLSearchParams([...asked, ...Object.entries(more ?? {})]).toString()
    return `${base}/v1/users/${who}/card.svg${all && `?${all}`}`
  }
  const page = `${base}/?user=${who}`
  const image = (source: string) => `<img src="${source.replaceAll('&', '&amp;')}" alt="${alt}">`
  if (format.value === 'url') return address()
  if (format.value === 'html') return `<a href="${page}">${image(address())}</a>`
  if (format.value === 'markdown') return `[![${alt}](${address()})](${page})`
  asked.delete('theme')
  const dark = address({ theme: 'dark' }).replaceAll('&', '&amp;')
  return `<a href="${page}"><picture>
  <source media="(prefers-color-scheme: dark)" srcset="${dark}">
  ${image(address({ theme: 'light' }))}
</picture></a>`
}
