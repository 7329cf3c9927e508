// A small tree of plain data that describes elements, and what makes real ones equal to it. Text is always a text node.

const SVG = 'http://www.w3.org/2000/svg'

/** Describes an element: `h('p.name', { title }, 'text', child)`. The class is also the part, for styles from outside. */
export function h(kind, attributes, ...children) {
  const [tag, name] = kind.split('.')
  const named = name && { class: name, part: name }
  return { tag, attributes: { ...named, ...attributes }, children: children.flat(Infinity).filter(Boolean) }
}

/** Makes what `parent` holds equal to the description. What is right already stays untouched: images, focus, selection. */
export function patch(parent, wanted) {
  for (const [index, node] of wanted.entries()) {
    const old = parent.childNodes[index]
    if (typeof node === 'string') patchText(parent, old, node)
    else patchElement(parent, old, node)
  }
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove()
}

function patchElement(parent, old, { tag, attributes, children }) {
  // An image that changed its address would show the old picture until the new one is there.
  const same = old?.localName === tag && (tag !== 'img' || old.getAttribute('src') === attributes.src)
  const element = same ? old : put(parent, old, create(tag))
  patchAttributes(element, attributes)
  patch(element, children)
}

function patchText(parent, old, text) {
  if (old?.nodeType !== Node.TEXT_NODE) put(parent, old, document.createTextNode(text))
  else if (old.data !== text) old.data = text
}

function patchAttributes(element, wanted) {
  for (const name of element.getAttributeNames()) if (wanted[name] === undefined) element.removeAttribute(name)
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined && element.getAttribute(name) !== String(value)) element.setAttribute(name, value)
  }
}

const create = tag => (/^(svg|path)$/.test(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag))

function put(parent, old, node) {
  if (old) parent.replaceChild(node, old)
  else parent.append(node)
  return node
}
