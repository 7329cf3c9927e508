const TICK = 5

/** Calls for 0, 1, 2 … up to the count, so often a second. */
export async function atRate(count: number, perSecond: number, call: (number: number) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const startedAt = performance.now()
  let made = 0
  const timer = setInterval(() => {
    const due = Math.min(count, ((performance.now() - startedAt) / 1000) * perSecond)
    while (made < due) call(made++)
    if (made >= count) resolve()
  }, TICK)
  await promise
  clearInterval(timer)
}
