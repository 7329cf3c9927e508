// Runs before anything else looks: the page's address, and its colours.

// Everything here is relative to the front page, wherever a proxy has put it: so its address ends with a slash.
if (!location.pathname.endsWith('/')) history.replaceState(null, '', location.href.replace(/(?=[?#]|$)/, '/'))

/** What the visitor has chosen. A browser may keep nothing for us. */
try {
  const theme = localStorage.getItem('exoix-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {}
