import { type Clock, systemClock } from '../util/clock.ts'

/** A stream that text goes to. */
export interface TextStream {
  write(text: string): unknown
  isTTY?: boolean
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

/**
 * Text as a terminal may show it: what a forge's user wrote must not move the cursor, change colours or reverse the
 * direction of reading.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
}
