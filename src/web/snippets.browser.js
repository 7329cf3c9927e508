// The ways to use a presence, as tabs, each with the address of this service and the id of the person shown.

const panels = [...document.querySelectorAll('.snippet')]
const tabs = panels.map(makeTab)
const templates = panels.map(panel => panel.querySelector('pre code').textContent)
const card = document.getElementById('card')

function makeTab(panel, index) {
  const tab = document.createElement('button')
  tab.type = 'button'
  tab.role = 'tab'
  tab.id = `tab-${index}`
  tab.textContent = panel.dataset.tab
  panel.id = `panel-${index}`
  panel.role = 'tabpanel'
  panel.setAttribute('aria-labelledby', tab.id)
  tab.setAttribute('aria-controls', panel.id)
  tab.addEventListener('click', () => select(index))
  tab.addEventListener('keydown', event => step(event, index))
  const copier = document.createElement('button')
  copier.type = 'button'
  copier.className = 'copy'
  copier.textContent = 'Copy'
  copier.ariaLive = 'polite'
  copier.addEventListener('click', () => copy(copier, panel.querySelector('pre code')))
  // Code that does not fit is scrolled, which a keyboard can do only where it can go.
  panel.querySelector('pre').tabIndex = 0
  panel.append(copier)
  document.querySelector('.tabs').append(tab)
  return tab
}

function select(chosen) {
  for (const [index, tab] of tabs.entries()) {
    tab.setAttribute('aria-selected', index === chosen)
    tab.tabIndex = index === chosen ? 0 : -1
    panels[index].hidden = index !== chosen
  }
}

function step(event, index) {
  const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key]
  if (to === undefined) return
  event.preventDefault()
  const next = (to + tabs.length) % tabs.length
  select(next)
  tabs[next].focus()
}

function fill(id) {
  const base = new URL('.', location.href).href.replace(/\/+$/, '')
  const names = {
    BASE: base,
    SOCKET: base.replace(/^http/, 'ws'),
    HOST: base.replace(/^https?:\/\//, ''),
    SECURE: location.protocol === 'https:',
    USER_ID: id || 'USER_ID',
  }
  for (const [index, panel] of panels.entries()) {
    const filled = templates[index].replace(/BASE|SOCKET|HOST|SECURE|USER_ID/g, name => names[name])
    panel.querySelector('pre code').textContent = filled
  }
  card.hidden = id === ''
  if (id !== '') card.src = `v1/users/${id}/card.svg`
}

async function copy(button, code) {
  // Without HTTPS browsers have no clipboard for pages: then the text is selected for the reader to copy.
  const copied = await (navigator.clipboard?.writeText(code.textContent) ?? Promise.reject()).then(
    () => true,
    () => false,
  )
  if (!copied) getSelection().selectAllChildren(code)
  button.textContent = copied ? 'Copied' : 'Selected'
  setTimeout(() => {
    button.textContent = 'Copy'
  }, 2000)
}

card.addEventListener('error', () => {
  card.hidden = true
})
document.addEventListener('pick', ({ detail }) => fill(detail))
select(0)
