/** A command on its way to a child process. Calls count from 1; 0 is the child's "ready". */
export interface Call {
  readonly call: number
  readonly command: string
  readonly argument?: unknown
}

export interface Answer {
  readonly call: number
  readonly result?: unknown
  readonly error?: string
}

// biome-ignore lint/suspicious/noExplicitAny: each command knows its argument
type Commands = Readonly<Record<string, (argument: any) => unknown>>

/** The child's side of {@link startChild}: takes commands from the parent process and goes when it goes. */
export function takeCommands(commands: Commands): void {
  const answer = (message: Answer) => process.send?.(message)
  process.on('message', async ({ call, command, argument }: Call) => {
    try {
      const result = await commands[command]?.(argument)
      answer({ call, result })
    } catch (error) {
      answer({ call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  answer({ call: 0 })
}

/**
 * Milliseconds with fractions, on a clock that all processes share. `process.hrtime` would not do: Bun counts it from
 * the start of each process.
 */
export const now = () => performance.timeOrigin + performance.now()
