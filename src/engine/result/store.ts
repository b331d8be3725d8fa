import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/types.ts'
import { type Clock, systemClock } from '../../util/clock.ts'
import { Retrier } from '../cluster/retrying.ts'
import { EngineError } from '../errors.ts'
import type { Progress } from '../host.ts'
import { writeJson } from '../json.ts'
import type { Json } from '../values.ts'
import { readYamlObject } from '../yaml.ts'
import { type CompactedObject, compactObjects, expandObjects } from './compact.ts'
import { reducedObject, resultForms } from './forms.ts'
import { plain, summaryOf, validateSummaryOf } from './summary.ts'
import type {
  CommandResult,
  CommandResultSummary,
  ProjectKey,
  TargetKey,
  ValidateResult,
  ValidateResultSummary,
} from './types.ts'

const compress = promisify(gzip)
const decompress = promisify(gunzip)
const secretKind = { apiVersion: 'v1', kind: 'Secret' }
const annotations = {
  'command-result': 'kluctl.io/command-result-summary',
  'validate-result': 'kluctl.io/validate-result-summary',
} as const
type Kind = keyof typeof annotations

/** An API server takes no Secret beyond 1 MiB; its names and labels need some of it. */
const mostBytes = 1_000_000
/** Most of what one stored result may unpack to. */
const maxUnpacked = 512 * 1024 * 1024

/** A result without its objects, and without the lists that are left out when empty. */
type Stored = Omit<CommandResult, 'objects' | EmptyLists> & Partial<Pick<CommandResult, EmptyLists>>
type EmptyLists = 'errors' | 'warnings' | 'seenImages'

/** Where results are kept, and how many. */
export interface ResultStoreOptions {
  readonly namespace: string
  /** Results of one target beyond these numbers are deleted, the oldest first. */
  readonly keepCommandResults: number
  readonly keepValidateResults: number
  readonly progress: Progress
  /** Bytes of one result; a larger one is kept without what is largest in it. Default: what a Secret holds. */
  readonly maxBytes?: number | undefined
  /** The namespace is an environment's: it is there, and all results in it count as those of one target. */
  readonly ofEnvironment?: boolean | undefined
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
}

/** What of a summary the store itself works with: somebody else may have written it. */
const kept = z.looseObject({
  id: z.string().regex(/^[A-Za-z0-9-]{1,63}$/),
  projectKey: z.looseObject({ repoKey: z.string().default(''), subDir: z.string().optional() }),
  targetKey: z.looseObject({
    targetName: z.string().optional(),
    clusterId: z.string().default(''),
    discriminator: z.string().optional(),
  }),
})
const times = { startTime: z.string(), endTime: z.string() }
const keptSummary = {
  'command-result': kept.extend({ commandInfo: z.looseObject(times) }),
  'validate-result': kept.extend(times),
}

/** A summary, and the Secret that has it. */
interface Listed<T> {
  readonly name: string
  readonly summary: T
}

/**
 * Results of commands kept in the cluster as kluctl keeps them, so that both read each other's: a Secret each, the
 * summary in an annotation, the result without its objects' contents and the objects themselves gzipped beside it
 * (kluctl, pkg/results/result-store-secrets.go).
 */
export class ResultStore {
  readonly #kube: KubeClient
  readonly #options: ResultStoreOptions
  readonly #retrier: Retrier

  constructor(kube: KubeClient, options: ResultStoreOptions) {
    this.#kube = kube
    this.#options = options
    this.#retrier = new Retrier({ clock: options.clock ?? systemClock, random: Math.random })
  }

  /** Keeps a result, and deletes the target's oldest. @throws KubeError */
  async writeCommandResult(result: CommandResult, signal: AbortSignal): Promise<void> {
    const summary = writeJson(plain(summaryOf(result)))
    const { progress, maxBytes = mostBytes } = this.#options
    let data: Record<string, string> = {}
    for (const [index, form] of resultForms.entries()) {
      const { note, shorten } = form
      const shorter = shorten(result)
      const reducedResult = await pack(plain({ ...shorter, objects: shorter.objects.map(reducedObject) }))
      data = { reducedResult, compactedObjects: await pack(compactObjects(shorter.objects) as unknown as Json) }
      const fits = (reducedResult.length + (data.compactedObjects?.length ?? 0)) * 0.75 + summary.length <= maxBytes
      if (!fits && index < resultForms.length - 1) continue
      if (!fits && maxBytes < mostBytes) throw new EngineError(`the result has more than ${maxBytes} bytes`)
      if (note !== '') progress.warn(`The result is too large for a Secret: ${note}`)
      break
    }
    await this.#write('command-result', result, summary, data, signal)
    await this.#clean('command-result', result, this.#options.keepCommandResults, signal)
  }

  /** The newest result of the same target. @throws KubeError */
  async newestLike(result: CommandResult, signal: AbortSignal): Promise<CommandResultSummary | undefined> {
    return (await this.listCommandResults(signal)).find(one => isSameTarget(one, result))
  }

  /** Keeps a validation's result, and deletes the target's oldest. @throws KubeError */
  async writeValidateResult(result: ValidateResult, signal: AbortSignal): Promise<void> {
    const summary = writeJson(plain(validateSummaryOf(result)))
    await this.#write('validate-result', result, summary, { result: await pack(plain(result)) }, signal)
    await this.#clean('validate-result', result, this.#options.keepValidateResults, signal)
  }

  /** Summaries of all commands' results, of all targets, the newest first. Damaged ones are left out. */
  async listCommandResults(signal: AbortSignal): Promise<CommandResultSummary[]> {
    return (await this.#commandResults(signal)).map(({ summary }) => summary)
  }

  /** Summaries of all validations' results, the newest first. */
  async listValidateResults(signal: AbortSignal): Promise<ValidateResultSummary[]> {
    return (await this.#validateResults(signal)).map(({ summary }) => summary)
  }

  /** A whole result with its objects; undefined when it is not kept (any more). @throws EngineError when damaged */
  async getCommandResult(id: string, signal: AbortSignal): Promise<CommandResult | undefined> {
    const labelSelector = `kluctl.io/command-result-id=${id}`
    const { namespace } = this.#options
    const { items } = await this.#kube.list<KubeObject>(secretKind, { namespace, labelSelector, signal })
    const data = items[0]?.data as Record<string, string | undefined> | undefined
    if (data === undefined) return undefined
    const result = (await unpack(data.reducedResult)) as unknown as Stored
    const { objects = [] } = readYamlObject(`{"objects": ${await unpackText(data.compactedObjects)}}`)
    const expanded = expandObjects(objects as unknown as CompactedObject[])
    const { errors = [], warnings = [], seenImages = [] } = result
    return { ...result, errors, warnings, seenImages, objects: expanded }
  }

  async #write(
    kind: Kind,
    result: CommandResult | ValidateResult,
    summary: string,
    data: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#options.ofEnvironment !== true) await this.#ensureNamespace(signal)
    const { id, projectKey, kluctlDeployment } = result
    const named = {
      [annotations[kind]]: summary,
      'kluctl.io/result-project-repo-key': projectKey.repoKey,
      'kluctl.io/result-project-subdir': projectKey.subDir,
      'kluctl.io/result-deployment-name': kluctlDeployment?.name,
      'kluctl.io/result-deployment-namespace': kluctlDeployment?.namespace,
    }
    const secret = {
      ...secretKind,
      metadata: {
        name: nameOf(kind === 'command-result' ? 'cr' : 'vr', id, projectKey),
        namespace: this.#options.namespace,
        labels: { 'kluctl.io/result': 'true', [`kluctl.io/${kind}-id`]: id },
        annotations: Object.fromEntries(
          Object.entries(named).filter(([, value]) => value !== undefined && value !== ''),
        ),
      },
      data,
    }
    const options = { fieldManager: 'kluctl-results', signal }
    await this.#retrier.run(() => this.#kube.apply(secret as KubeObject, options), signal)
  }

  async #ensureNamespace(signal: AbortSignal): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.#options.namespace } }
    if ((await this.#kube.getMetadata({ ...namespace, name: this.#options.namespace }, { signal })) !== undefined)
      return
    try {
      await this.#kube.create(namespace, { signal })
    } catch (error) {
      if (!(error instanceof KubeError && error.isAlreadyExists)) throw error
    }
  }

  /** What cannot be deleted is warned of: the command itself is done. */
  async #clean(kind: Kind, written: CommandResult | ValidateResult, keep: number, signal: AbortSignal): Promise<void> {
    const { progress, namespace, ofEnvironment = false } = this.#options
    let all: readonly Listed<CommandResultSummary | ValidateResultSummary>[]
    try {
      all = kind === 'command-result' ? await this.#commandResults(signal) : await this.#validateResults(signal)
    } catch (error) {
      if (error instanceof KubeError && error.isForbidden) return
      throw error
    }
    const own = all.filter(({ summary }) => ofEnvironment || isSameTarget(summary, written))
    // Times are in whole seconds: the one just written is the newest, whatever the order says.
    const others = own.filter(({ summary }) => summary.id !== written.id)
    for (const { name, summary } of keep > 0 ? others.slice(keep - 1) : own) {
      try {
        await this.#retrier.run(() => this.#kube.delete({ ...secretKind, namespace, name }, { signal }), signal)
      } catch (error) {
        if (!(error instanceof KubeError)) throw error
        progress.warn(`Failed to delete old result ${summary.id}: ${error.message}`)
      }
    }
  }

  async #commandResults(signal: AbortSignal): Promise<Listed<CommandResultSummary>[]> {
    const listed = await this.#list<CommandResultSummary>('command-result', signal)
    const time = ({ summary }: Listed<CommandResultSummary>) => summary.commandInfo
    return listed.sort((a, b) => newestFirst(time(a), time(b)) || (a.summary.id < b.summary.id ? -1 : 1))
  }

  async #validateResults(signal: AbortSignal): Promise<Listed<ValidateResultSummary>[]> {
    const listed = await this.#list<ValidateResultSummary>('validate-result', signal)
    return listed.sort((a, b) => newestFirst(a.summary, b.summary) || (a.summary.id < b.summary.id ? -1 : 1))
  }

  /** Damaged by somebody's hand: as kluctl does, it is as if it were not there. */
  async #list<T>(kind: Kind, signal: AbortSignal): Promise<Listed<T>[]> {
    const options = { namespace: this.#options.namespace, labelSelector: `kluctl.io/${kind}-id`, metadataOnly: true }
    const { items } = await this.#retrier.run(() => this.#kube.list(secretKind, { ...options, signal }), signal)
    return items.flatMap(({ metadata: { name = '', annotations: texts } }) => {
      const { data } = keptSummary[kind].safeParse(parseJson(texts?.[annotations[kind]] ?? ''))
      return data === undefined ? [] : [{ name, summary: data as T }]
    })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `cr-project-<uuid>`, at most 63 characters. */
function nameOf(prefix: string, id: string, { repoKey }: ProjectKey): string {
  const project = (/[^/]*$/.exec(repoKey)?.[0] ?? '').replaceAll('_', '-').replaceAll(/[^a-zA-Z0-9-]/g, '')
  const short = project.toLowerCase().slice(0, Math.max(0, 63 - id.length - prefix.length - 2))
  return [prefix, short, id].filter(part => part !== '').join('-')
}

function isSameTarget(
  a: { projectKey: ProjectKey; targetKey: TargetKey },
  b: { projectKey: ProjectKey; targetKey: TargetKey },
): boolean {
  const key = ({ projectKey, targetKey }: typeof a) => [
    // Outside of a repository nothing tells projects apart, and kluctl then takes all for one.
    ...(b.projectKey.repoKey === '' ? [] : [projectKey.repoKey]),
    ...((b.projectKey.subDir ?? '') === '' ? [] : [projectKey.subDir]),
    targetKey.targetName ?? '',
    targetKey.clusterId,
    targetKey.discriminator ?? '',
  ]
  return key(a).join('\0') === key(b).join('\0')
}

interface Timed {
  readonly startTime: string
  readonly endTime: string
}

function newestFirst(a: Timed, b: Timed): number {
  const compare = (left: string, right: string) => (left === right ? 0 : left > right ? -1 : 1)
  return compare(a.startTime, b.startTime) || compare(a.endTime, b.endTime)
}

/** Gzipped, in base64: a value of a Secret. */
async function pack(value: Json): Promise<string> {
  const packed = await compress(writeJson(value), { level: constants.Z_BEST_COMPRESSION })
  return packed.toString('base64')
}

async function unpackText(packed: string | undefined): Promise<string> {
  try {
    const bytes = await decompress(Buffer.from(packed ?? '', 'base64'), { maxOutputLength: maxUnpacked })
    return bytes.toString('utf8')
  } catch (cause) {
    throw new EngineError('a stored result is damaged', { cause })
  }
}

async function unpack(packed: string | undefined): Promise<Record<string, Json>> {
  return readYamlObject(await unpackText(packed))
}
