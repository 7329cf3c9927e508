/** An element of the page, which is there: the page and its scripts are made together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`there is no #${id}`)
  return found as T
}
