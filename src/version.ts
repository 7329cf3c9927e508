import { version } from '../package.json'

/** Which Exoix this is, as package.json has it. */
export const VERSION = version
