// Ends a control plane whose owner is gone. The owner holds the other end of standard input and writes one command a
// line: `watch PID` and `forget PID` for a process group, `folder PATH` for what to remove. When the pipe closes, for
// whatever reason (kill -9 included), everything that is still watched is killed.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const groups = new Set<number>()
const folders = new Set<string>()

// A terminal's Ctrl-C reaches the owner, which closes the pipe when it is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

createInterface({ input: process.stdin })
  .on('line', line => {
    const space = line.indexOf(' ')
    const argument = line.slice(space + 1)
    if (line.startsWith('watch ')) groups.add(Number(argument))
    else if (line.startsWith('forget ')) groups.delete(Number(argument))
    else if (line.startsWith('folder ')) folders.add(argument)
  })
  .on('close', () => {
    for (const group of groups) {
      try {
        process.kill(-group, 'SIGKILL')
      } catch {
        // Already gone.
      }
    }
    // The killed processes may still write for a moment.
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })
