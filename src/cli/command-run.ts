import type { Shown } from '../engine/commands/on-cluster.ts'
import { EngineError } from '../engine/errors.ts'
import type { EngineHost } from '../engine/host.ts'
import { formatRef } from '../engine/plan/refs.ts'
import type { ObjectRef } from '../engine/plan/types.ts'
import { ResultStore } from '../engine/result/store.ts'
import { summaryLine } from '../engine/result/text.ts'
import type { CommandResult } from '../engine/result/types.ts'
import { messageOf } from '../util/errors.ts'
import type { ChangeOptions, ResultOptions, StoreOptions } from './command-flags.ts'
import { asAsked, writeResult } from './command-output.ts'
import type { Questions } from './confirm.ts'
import { type Io, printable } from './io.ts'

/** Milliseconds for keeping a result; it is kept even when the command's own time is up. */
const storeDeadline = 30_000

/**
 * Prints a result and keeps it in the cluster where the flags say so.
 * @throws EngineError when the result tells of errors, or cannot be kept
 */
export async function finish(
  io: Io,
  host: EngineHost,
  options: ResultOptions & { color: boolean },
  result: Shown<CommandResult>,
  store?: StoreOptions & { dryRun?: boolean },
): Promise<void> {
  const failure = store === undefined ? undefined : await keep(host, result.masked, store)
  const shown = asAsked(result, options)
  await writeResult(io, options, shown)
  host.progress.info(summaryLine(shown))
  if (failure !== undefined) throw failure
  if (shown.errors.length > 0) throw new EngineError('command failed')
}

/** What went wrong, told when the result has been printed. */
async function keep(
  host: EngineHost,
  result: CommandResult,
  options: StoreOptions & { dryRun?: boolean },
): Promise<unknown> {
  const { cluster, progress } = host
  if (cluster === undefined || !options.writeCommandResult) return undefined
  if (options.dryRun === true && options.forceWriteCommandResult !== true) return undefined
  if (result.clusterInfo.clusterId === '') {
    progress.warn('Not enough permissions to write to the result store.')
    return undefined
  }
  const store = new ResultStore(cluster, {
    namespace: options.commandResultNamespace,
    keepCommandResults: options.keepCommandResultsCount,
    keepValidateResults: options.keepValidateResultsCount,
    clock: host.clock,
    progress,
  })
  const end = progress.start('Writing command result')
  try {
    await store.writeCommandResult(result, AbortSignal.timeout(storeDeadline))
    end('done')
    return undefined
  } catch (error) {
    end('failed')
    return new EngineError(`Failed to write result to result store: ${messageOf(error)}`)
  }
}

/** Shows what would be deleted, and asks unless the flags answer already. */
export function deletionQuestion(
  io: Io,
  options: Pick<ChangeOptions, 'yes' | 'dryRun'>,
  questions: Questions,
): (refs: readonly ObjectRef[]) => Promise<boolean> {
  return async refs => {
    if (refs.length === 0) return true
    const names = refs.map(ref => `  ${printable(formatRef(ref))}\n`).join('')
    io.stderr.write(`The following objects will be deleted:\n${names}`)
    if (options.yes === true || options.dryRun === true) return true
    return questions.confirm(`Do you really want to delete ${refs.length} objects?`)
  }
}
