/** Imported before anything else: makes time pass faster in this process, so many times as the environment says. */
const factor = Number(process.env.TIMES_FASTER ?? 1)

const [now, tick] = [Date.now, performance.now.bind(performance)]
const [nowThen, tickThen] = [now(), tick()]
Date.now = () => nowThen + (now() - nowThen) * factor
performance.now = () => tickThen + (tick() - tickThen) * factor

const { setTimeout: after, setInterval: every } = globalThis
globalThis.setTimeout = ((run: never, ms = 0, ...rest: never[]) => after(run, ms / factor, ...rest)) as typeof after
globalThis.setInterval = ((run: never, ms = 0, ...rest: never[]) => every(run, ms / factor, ...rest)) as typeof every
