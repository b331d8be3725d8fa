import { hasColour, type TextStream } from '../src/cli/io.ts'
import { paint } from '../src/cli/output.ts'

/** A step as `--output json` prints it. */
export interface StepResult {
  step: string
  title: string
  ok: boolean
  milliseconds: number
  detail: string
}

/** Where the demo tells what happens. */
export interface Screen {
  begin(title: string): void
  end(result: StepResult): void
  /** Text between steps. */
  say(line: string): void
  close(): void
}

/** Plain lines for people; colours and a line that is written over only on a terminal. */
export function textScreen(out: TextStream & { columns?: number }, env: Record<string, string | undefined>): Screen {
  const coloured = hasColour(out, env)
  return {
    begin: title => {
      if (coloured) out.write(`  ${title} …`)
    },
    end: ({ title, ok, milliseconds, detail }) => {
      if (coloured) out.write('\r\x1b[2K')
      const mark = ok ? paint('✓', 'green', coloured) : paint('✗', 'red', coloured)
      const time = paint(`${(milliseconds / 1000).toFixed(1)} s`, 'grey', coloured)
      out.write(`${mark} ${title}  ${time}\n    ${paint(detail, 'grey', coloured)}\n`)
    },
    say: line => {
      if (coloured) out.write('\r\x1b[2K')
      out.write(`${line}\n`)
    },
    close: () => undefined,
  }
}

/** One JSON list on standard output, a step a line; everything else goes to `err`. */
export function jsonScreen(out: TextStream, err: TextStream): Screen {
  let count = 0
  return {
    begin: () => undefined,
    end: result => {
      out.write(`${count === 0 ? '[\n' : ',\n'}${JSON.stringify(result)}`)
      count++
    },
    say: line => err.write(`${line}\n`),
    close: () => out.write(count === 0 ? '[]\n' : '\n]\n'),
  }
}
