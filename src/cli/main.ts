#!/usr/bin/env node
import { processIo } from './io.ts'
import { run } from './program.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second one means it: end now.
    if (stop.signal.aborted) process.exit(130)
    stop.abort(new DOMException(`ended by ${signal}`, 'AbortError'))
  })
}
// A reader that went away, such as head, is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
})

process.exitCode = await run(process.argv.slice(2), processIo(stop.signal))
