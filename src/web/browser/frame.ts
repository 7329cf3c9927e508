// A page that is nothing but one person, for frames and overlays: its address says who, and how.

const element = document.createElement('discord-presence')
const [, id = ''] = /\/embed\/+([^/]*)\/*$/.exec(location.pathname) ?? []
const parameters = new URLSearchParams(location.search)
for (const name of ['layout', 'show', 'hide', 'theme']) {
  const value = parameters.get(name)
  if (value !== null) element.setAttribute(name, value)
}
element.setAttribute('user', decoded(id))
document.body.prepend(element)
element.addEventListener('presence', event => {
  const { discord_user: user } = (event as CustomEvent).detail
  document.title = `${user?.global_name || user?.username} on Discord`
})

/** What is no text stays as it is: it is nobody's id. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
