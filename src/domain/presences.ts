/**
 * How much can be told at the moment: `starting` until the first member lists are in, then `ready` while the gateway
 * session is up and `reconnecting` while it is not.
 */
export type Readiness = 'starting' | 'ready' | 'reconnecting'
