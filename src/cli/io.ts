import { type Clock, systemClock } from '../util/clock.ts'

export { printable } from '../util/printable.ts'

/** A stream that text goes to. */
export interface TextStream {
  write(text: string): unknown
  isTTY?: boolean
  /** Of the terminal. */
  columns?: number
}

/** Everything a command touches of the process it runs in; tests bring their own. */
export interface Io {
  stdin: AsyncIterable<Uint8Array | string>
  stdout: TextStream
  stderr: TextStream
  env: Record<string, string | undefined>
  clock: Clock
  /** Aborted when the person or the system asks the command to end. */
  signal: AbortSignal
}

/** The process's own streams and environment. */
export function processIo(signal: AbortSignal): Io {
  const { stdin, stdout, stderr, env } = process
  return { stdin, stdout, stderr, env, clock: systemClock, signal }
}

/** Whether colours may be written: a terminal, and neither NO_COLOR (no-color.org) nor a dumb one. */
export function hasColour(stream: TextStream, env: Io['env']): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  return stream.isTTY === true && env.TERM !== 'dumb'
}
