import type { Child, Description } from './nodes.ts'

const SVG = 'http://www.w3.org/2000/svg'

/** Makes what `parent` holds equal to the description. What is right already stays untouched: images, focus, selection. */
export function patch(parent: Element | ShadowRoot, wanted: readonly Child[]): void {
  for (const [index, node] of wanted.entries()) {
    const old = parent.childNodes[index]
    if (typeof node === 'string') patchText(parent, old, node)
    else patchElement(parent, old, node)
  }
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove()
}

function patchElement(parent: Node, old: ChildNode | undefined, wanted: Description): void {
  const element = old instanceof Element && isSame(old, wanted) ? old : put(parent, old, create(wanted.tag))
  patchAttributes(element, wanted.attributes)
  patch(element, wanted.children)
}

/** An image that changed its address would show the old picture until the new one is there. */
function isSame(old: Element, { tag, attributes }: Description): boolean {
  return old.localName === tag && (tag !== 'img' || old.getAttribute('src') === attributes.src)
}

function patchText(parent: Node, old: ChildNode | undefined, text: string): void {
  if (!(old instanceof Text)) put(parent, old, document.createTextNode(text))
  else if (old.data !== text) old.data = text
}

function patchAttributes(element: Element, wanted: Description['attributes']): void {
  // Whether something is unfolded is the reader's business.
  for (const name of element.getAttributeNames()) {
    if (wanted[name] === undefined && name !== 'open') element.removeAttribute(name)
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined && element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value))
  }
}

function create(tag: string): Element {
  return /^(svg|path|title)$/.test(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag)
}

function put<T extends Node>(parent: Node, old: ChildNode | undefined, node: T): T {
  if (old === undefined) parent.appendChild(node)
  else parent.replaceChild(node, old)
  return node
}
