/** Bytes in memory of their own, as the platform's sinks and bodies take them. */
export type Bytes = Uint8Array<ArrayBuffer>
