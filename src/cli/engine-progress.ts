import type { Progress } from '../engine/host.ts'
import { printableLines } from '../util/printable.ts'
import { hasColour, type Io, printable } from './io.ts'
import { paint } from './output.ts'

/** How progress is shown. */
export interface ProgressOptions {
  /** Every step as a line of its own, on a terminal too. */
  readonly plainLines?: boolean | undefined
  readonly coloured?: boolean | undefined
}

const maxShown = 3

/**
 * Progress on standard error: on a terminal the running steps are one line that is replaced when one ends, elsewhere
 * every step is a line when it ends, with how long it took.
 */
export function engineProgress(io: Io, options: ProgressOptions = {}): Progress {
  const { stderr, clock } = io
  const { coloured = hasColour(stderr, io.env) } = options
  const live = stderr.isTTY === true && io.env.TERM !== 'dumb' && options.plainLines !== true
  const running = new Set<{ what: string }>()
  const redraw = () => {
    if (live)
      stderr.write(
        `\r\x1b[K${statusLine(
          [...running].map(({ what }) => what),
          stderr.columns,
        )}`,
      )
  }
  const line = (text: string) => {
    stderr.write(`${live ? '\r\x1b[K' : ''}${text}\n`)
    if (running.size > 0) redraw()
  }
  return {
    start(what) {
      const began = clock.now()
      const step = { what: printable(what) }
      running.add(step)
      redraw()
      return outcome => {
        if (!running.delete(step)) return
        const seconds = ((clock.now() - began) / 1000).toFixed(1)
        const mark = outcome === 'done' ? paint('✓', 'green', coloured) : paint('✗', 'red', coloured)
        line(`${mark} ${step.what} (${seconds} s)`)
      }
    },
    warn: message => line(`${paint('warning:', 'yellow', coloured)} ${printableLines(message)}`),
    info: message => line(printableLines(message)),
  }
}

/** The newest of the running steps and how many more there are, in one line of the terminal. */
function statusLine(steps: readonly string[], columns = 80): string {
  if (steps.length === 0) return ''
  const shown = steps.slice(-maxShown).join(', ')
  const more = steps.length > maxShown ? ` and ${steps.length - maxShown} more` : ''
  const room = columns - more.length - 3
  return `${shown.length > room ? `${shown.slice(0, Math.max(0, room))}` : shown}${more} …`
}
