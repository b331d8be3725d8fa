import { writeFile } from 'node:fs/promises'
import type { Session } from 'node:inspector/promises'
import type { Command } from 'commander'
import { EngineError } from '../engine/errors.ts'

/** The profile that is being taken: a process has one profiler. */
let running: { file: string; session: Session } | undefined

/** Lets a command with the flag `--cpu-profile` be profiled while it runs; {@link endCpuProfile} ends that. */
export function profiled(command: Command): Command {
  return command.hook('preAction', async () => {
    const { cpuProfile } = command.opts<{ cpuProfile?: string }>()
    if (cpuProfile !== undefined) await start(cpuProfile)
  })
}

async function start(file: string): Promise<void> {
  try {
    // A path that cannot be written is told before the work, not after it.
    await writeFile(file, '')
  } catch (cause) {
    throw new EngineError('failed to create cpu profile file', { cause })
  }
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  running = { file, session }
}

/** Writes the profile of the command that has ended, if one was taken. */
export async function endCpuProfile(): Promise<void> {
  if (running === undefined) return
  const { file, session } = running
  running = undefined
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  await writeFile(file, JSON.stringify(profile))
}
