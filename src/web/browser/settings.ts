import type { PictureHosts } from '../../domain/discord-cdn.ts'

/** What the server puts in the place of these names. */
export const SETTINGS = '__SETTINGS__' as unknown as PictureHosts & { readonly invites: boolean }
export const STYLE = '__STYLE__'
