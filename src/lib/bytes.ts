/** Bytes in memory of their own, as the platform's sinks and bodies take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Sizes in bytes. */
export const MIB = 1024 * 1024
