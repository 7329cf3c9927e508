/** What comes of it, or something else when that takes too long. */
export async function within<T>(milliseconds: number, work: Promise<T>, otherwise: T): Promise<T> {
  const { promise: expired, resolve } = Promise.withResolvers<T>()
  // What has arrived while the process was busy elsewhere still counts.
  const timer = setTimeout(() => setImmediate(() => resolve(otherwise)), milliseconds)
  try {
    return await Promise.race([work, expired])
  } finally {
    clearTimeout(timer)
  }
}
