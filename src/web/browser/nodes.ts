// A small tree of plain data that describes elements. Text is always a text node, so that a stranger's words stay words.

export interface Description {
  readonly tag: string
  readonly attributes: Attributes
  readonly children: readonly Child[]
}

export type Child = Description | string
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
/** What is nothing is left out; lists may stand in lists. */
export type Content = Child | undefined | null | false | readonly Content[]

/** Describes an element: `h('p.name', { title }, 'text', child)`. The class is also the part, for styles from outside. */
export function h(kind: string, attributes: Attributes, ...children: Content[]): Description {
  const [tag = '', name] = kind.split('.')
  const named = name === undefined ? {} : { class: name, part: name }
  return { tag, attributes: { ...named, ...attributes }, children: children.flatMap(flatten) }
}

function flatten(content: Content): Child[] {
  if (Array.isArray(content)) return content.flatMap(flatten)
  return content ? [content as Child] : []
}
