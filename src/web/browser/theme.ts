const root = document.documentElement

function applyTheme(theme: string): void {
  root.dataset.theme = theme
  for (const element of document.querySelectorAll('discord-presence')) element.setAttribute('theme', theme)
}

/** Light or dark: what the system prefers, until the visitor chooses otherwise. */
export function offerThemes(): void {
  document.getElementById('theme')?.addEventListener('click', () => {
    const now = root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
    const other = now === 'dark' ? 'light' : 'dark'
    applyTheme(other)
    try {
      localStorage.setItem('exoix-theme', other)
    } catch {}
  })
  if (root.dataset.theme) applyTheme(root.dataset.theme)
}
