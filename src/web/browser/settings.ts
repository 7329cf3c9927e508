import type { PictureHosts } from '../../domain/discord-cdn.ts'

/** What the server puts in the place of these names: the hosts of pictures, and the styles. */
export const HOSTS = '__HOSTS__' as unknown as PictureHosts
export const STYLE = '__STYLE__'
