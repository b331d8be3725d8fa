import { join } from 'node:path'
import type { Skill, Tool } from '../binaries/index.ts'
import type { LoadTargetFlags } from '../commands/load-target.ts'
import type { RenderFlags } from '../commands/run.ts'
import { EngineError, MissingError, RefusedError } from '../errors.ts'
import type { Policy } from '../host.ts'
import type { SourceName } from '../vars/source.ts'

/** What a worker is started with: one piece of work. */
export type WorkerStart = RenderStart | TargetStart

interface StartBase {
  /** The only folder that the worker may write to. */
  readonly scratch: string
  /** Bytes of the result as JSON. */
  readonly maxOutput: number
}

/** Load a target, and no more. */
export interface TargetStart extends StartBase {
  readonly work: 'target'
  readonly flags: LoadTargetFlags
}

/** Render a target: to its objects alone, or to all that a deployment needs. */
export interface RenderStart extends StartBase {
  readonly work: 'render' | 'deployment'
  readonly flags: RenderFlags
  readonly sources: readonly SourceName[] | 'all'
  readonly tools: Readonly<Partial<Record<Skill, Tool>>>
  readonly kubernetesVersion?: string | undefined
  readonly parallelism: number
  /** Whether encrypted files are asked about. */
  readonly keys: boolean
}

/** Below the scratch folder: copies of other repositories and artifacts. */
export const fetchedFolder = 'fetched'

/** What the worker may ask its parent; the parent's policy judges every question. */
export const questions = ['checkout', 'listRefs', 'pull', 'chart', 'http', 'objects', 'secret', 'decrypt'] as const

export type Question = (typeof questions)[number]

/** How the worker asks. */
export type Ask = (question: Question, ...args: unknown[]) => Promise<unknown>

/** What the worker itself lets a project use; where it comes to asking, the parent judges. */
export function workerPolicy(start: WorkerStart): Policy {
  const sources = start.work === 'target' ? [] : start.sources
  return {
    sources: sources === 'all' ? 'all' : new Set(sources),
    allowsUrl: () => true,
    outsideLinks: false,
    fetched: join(start.scratch, fetchedFolder),
  }
}

/** An error as plain data. */
export interface Failure {
  readonly kind: 'engine' | 'missing' | 'refused'
  readonly message: string
}

/** From the worker. */
export type FromWorker =
  | { readonly ask: Question; readonly id: number; readonly args: readonly unknown[] }
  | { readonly note: 'warn' | 'info'; readonly message: string }
  | { readonly done: unknown }
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
