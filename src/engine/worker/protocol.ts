import type { Skill, Tool } from '../binaries/index.ts'
import type { RenderFlags } from '../commands/run.ts'
import { EngineError, MissingError, RefusedError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import type { SourceName } from '../vars/source.ts'

/** What the worker is started with. */
export interface WorkerStart {
  readonly flags: RenderFlags
  readonly sources: readonly SourceName[] | 'all'
  readonly tools: Readonly<Partial<Record<Skill, Tool>>>
  /** The only folder that the worker may write to. */
  readonly scratch: string
  readonly kubernetesVersion?: string | undefined
  readonly parallelism: number
  /** Bytes of the result as JSON. */
  readonly maxOutput: number
  /** Whether encrypted files are asked about. */
  readonly keys: boolean
}

/** Below the scratch folder: copies of other repositories and artifacts. */
export const fetchedFolder = 'fetched'

/** What the worker may ask its parent; the parent's policy judges every question. */
export const questions = ['checkout', 'listRefs', 'pull', 'chart', 'http', 'objects', 'secret', 'decrypt'] as const

export type Question = (typeof questions)[number]

/** An error as plain data. */
export interface Failure {
  readonly kind: 'engine' | 'missing' | 'refused'
  readonly message: string
}

/** From the worker. */
export type FromWorker =
  | { readonly ask: Question; readonly id: number; readonly args: readonly unknown[] }
  | { readonly note: 'warn' | 'info'; readonly message: string }
  | { readonly done: readonly Manifest[] }
  | { readonly failed: Failure }

/** To the worker. */
export type ToWorker =
  | { readonly start: WorkerStart }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failed: Failure }

/** The error as plain data; `message` is what people are shown of it. */
export function failureOf(error: unknown, message: string): Failure {
  const kind = error instanceof MissingError ? 'missing' : error instanceof RefusedError ? 'refused' : 'engine'
  return { kind, message }
}

/** The error that a failure stands for. */
export function errorOf({ kind, message }: Failure): EngineError {
  if (kind === 'missing') return new MissingError(message)
  return kind === 'refused' ? new RefusedError(message) : new EngineError(message)
}
