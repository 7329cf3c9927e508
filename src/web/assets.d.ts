/** Files that are embedded as text: `import text from './x.css' with { type: 'text' }`. */
declare module '*.css' {
  const text: string
  // biome-ignore lint/style/noDefaultExport: this is what a text import gives
  export default text
}
declare module '*/swagger-ui-bundle.js' {
  const path: string
  // biome-ignore lint/style/noDefaultExport: this is what a file import gives
  export default path
}
