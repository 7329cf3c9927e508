type Gauges = Readonly<Record<string, number>>

/** A server's metrics by name and labels. */
export async function readGauges(url: string): Promise<Gauges> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Object.fromEntries(
    [...text.matchAll(/^(\w+(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  )
}

/** Resident memory of a server over time, in bytes. */
export interface Memory {
  readonly before: number
  readonly peak: number
  readonly after: number
}

const INTERVAL = 200

/** Looks at a server's memory several times a second, and lets somebody else look at its other metrics. */
export async function watchMemory(url: string, onLook: (gauges: Gauges) => void = () => {}) {
  let peak = 0
  async function look(): Promise<number> {
    const gauges = await readGauges(url)
    const memory = gauges.exoix_process_resident_memory_bytes ?? Number.NaN
    peak = Math.max(peak, memory)
    onLook(gauges)
    return memory
  }
  const before = await look()
  const timer = setInterval(() => void look().catch(() => {}), INTERVAL)
  return {
    async stop(): Promise<Memory> {
      clearInterval(timer)
      const after = await look()
      return { before, peak, after }
    },
  }
}
