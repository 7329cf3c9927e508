// Runs before anything is drawn: the page's address, its colours, and whether it is about somebody.

const root = document.documentElement

// Everything here is relative to the front page, wherever a proxy has put it: so its address ends with a slash.
if (!location.pathname.endsWith('/')) history.replaceState(null, '', location.href.replace(/(?=[?#]|$)/, '/'))

const asked = new URLSearchParams(location.search).get('user') ?? location.hash.slice(1)
root.dataset.view = asked || root.dataset.featured ? 'person' : 'front'

/** What the visitor has chosen. A browser may keep nothing for us. */
try {
  const theme = localStorage.getItem('exoix-theme')
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
} catch {}
