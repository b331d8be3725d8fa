import type { Progress } from '../engine/host.ts'
import { hasColour, type Io, printable } from './io.ts'
import { paint } from './output.ts'

/**
 * Progress on standard error: on a terminal the running step is one line that is replaced when it ends, elsewhere
 * every step is a line when it ends, with how long it took.
 */
export function engineProgress(io: Io): Progress {
  const { stderr, clock } = io
  const coloured = hasColour(stderr, io.env)
  const live = stderr.isTTY === true && io.env.TERM !== 'dumb'
  const line = (text: string) => stderr.write(`${live ? '\r\x1b[K' : ''}${text}\n`)
  return {
    start(what) {
      const began = clock.now()
      if (live) stderr.write(`\r\x1b[K${printable(what)} …`)
      return outcome => {
        const seconds = ((clock.now() - began) / 1000).toFixed(1)
        const mark = outcome === 'done' ? paint('✓', 'green', coloured) : paint('✗', 'red', coloured)
        line(`${mark} ${printable(what)} (${seconds} s)`)
      }
    },
    warn: message => line(`${paint('warning:', 'yellow', coloured)} ${lines(message)}`),
    info: message => line(lines(message)),
  }
}

/** Several lines are kept, but nothing in them may steer the terminal. */
function lines(message: string): string {
  return message.replaceAll('\t', '  ').split('\n').map(printable).join('\n')
}
