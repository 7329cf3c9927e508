/** Pictures that are embedded as files: `import path from './x.png' with { type: 'file' }`. */
declare module '*.png' {
  const path: string
  // biome-ignore lint/style/noDefaultExport: this is what a file import gives
  export default path
}
declare module '*.gif' {
  const path: string
  // biome-ignore lint/style/noDefaultExport: this is what a file import gives
  export default path
}
