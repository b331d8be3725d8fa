import type { Clock } from '../util/clock.ts'
import type { KubeconfigOptions } from './config.ts'
import type { DeletionPropagation } from './types.ts'

/** What every request takes. */
export interface RequestOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds for the request with its retries; default 30,000. */
  timeout?: number | undefined
  /** Called with every warning of the API server about this request, besides the client's own `onWarning`. */
  onWarning?: ((warning: string) => void) | undefined
}

/** What every write takes. */
export interface WriteOptions extends RequestOptions {
  /** Nothing is stored; the answer is what would have been. */
  dryRun?: boolean
  fieldManager?: string
  /** `Strict` refuses unknown and duplicate fields. Default: the server's (`Warn`). */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string
  /** Takes fields over from other managers instead of answering with a conflict. */
  force?: boolean
  subresource?: string
}

export interface PatchOptions extends WriteOptions {
  type: 'merge' | 'json' | 'strategic'
  subresource?: string
}

export interface DeleteOptions extends RequestOptions {
  /** Preconditions: a 409 answers when the object is another one by now. */
  uid?: string
  resourceVersion?: string
  propagation?: DeletionPropagation
  gracePeriodSeconds?: number
  dryRun?: boolean
  /** An object that does not exist is an error, instead of success. */
  mustExist?: boolean
}

/** Whom requests are made as; both need the `impersonate` verb on that account or user. */
export type Identity = { serviceAccount: { namespace: string; name: string } } | { user: string; groups?: string[] }

/** One answer of the API server, or the lack of one, for metrics. */
export interface ObservedRequest {
  method: string
  /** Plural, with the subresource: `reviewenvironments/status`; the path for what is no resource. */
  resource: string
  /** HTTP status; 0: no answer. */
  status: number
  /** A watch, counted when it opens. */
  watch: boolean
}

/** How a client is made. */
export interface ClientOptions extends KubeconfigOptions {
  clock?: Clock
  /** Numbers in [0, 1), for jitter. */
  random?: () => number
  connections?: number
  timeout?: number
  maxBodyBytes?: number
  /** Called with every warning of the API server (`Warning` header), such as deprecated kinds. */
  onWarning?: (warning: string) => void
  /** Called after every attempt of a request. */
  observe?: (request: ObservedRequest) => void
}
