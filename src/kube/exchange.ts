import { Buffer } from 'node:buffer'
import type { Dispatcher } from 'undici'
import { KubeConnectionError } from './errors.ts'

/** One attempt of a request. */
export interface Exchange extends Dispatcher.DispatchOptions {
  signal?: AbortSignal | undefined
  /** Milliseconds for this attempt. */
  timeout: number
  maxBodyBytes: number
  /** What error messages call the request. */
  label: string
}

/** What an attempt brought, whatever its status. */
export interface ExchangeResult {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** No answer came; `sent` tells whether the server may have seen the request. */
export class ExchangeError extends KubeConnectionError {
  readonly sent: boolean

  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.sent = sent
  }
}

/**
 * Sends one request with one handler and no streams: half the work of `undici.request` for small answers. A deadline
 * or an abort rejects at once, even while the request still waits for a connection.
 * @throws ExchangeError without a complete answer; the signal's reason when aborted
 */
export function exchange(dispatcher: Dispatcher, options: Exchange): Promise<ExchangeResult> {
  const { signal, timeout, maxBodyBytes, label, ...dispatch } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const chunks: Buffer[] = []
    const result: ExchangeResult = { status: 0, headers: {}, body: '' }
    let controller: Dispatcher.DispatchController | undefined
    let failure: Error | undefined
    let size = 0

    const finish = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error) => {
      if (failure) return
      failure = error
      finish()
      controller?.abort(error)
      reject(error)
    }
    const onAbort = () => fail(asError(signal?.reason))
    const onDeadline = () =>
      fail(new ExchangeError(`${label}: no answer within ${timeout} ms`, controller !== undefined))
    const timer = setTimeout(onDeadline, timeout)
    signal?.addEventListener('abort', onAbort, { once: true })

    const noAnswer = (cause: unknown) =>
      new ExchangeError(`${label}: no answer from ${String(dispatch.origin)}`, controller !== undefined, { cause })

    const onRequestStart = (started: Dispatcher.DispatchController) => {
      controller = started
      if (failure) started.abort(failure)
    }
    const onResponseData = (_: Dispatcher.DispatchController, chunk: Buffer) => {
      size += chunk.length
      if (size > maxBodyBytes) fail(new ExchangeError(`${label}: answer larger than ${maxBodyBytes} bytes`, true))
      else chunks.push(chunk)
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart,
      onResponseStart: (_, status, headers) => {
        result.status = status
        result.headers = headers
      },
      onResponseData,
      onResponseEnd: () => {
        finish()
        result.body = Buffer.concat(chunks, size).toString('utf8')
        resolve(result)
      },
      onResponseError: (_, cause) => fail(noAnswer(cause)),
    }
    try {
      dispatcher.dispatch({ ...dispatch, headersTimeout: timeout, bodyTimeout: timeout }, handler)
    } catch (cause) {
      // Refused before it was queued, such as a header that HTTP does not allow.
      fail(noAnswer(cause))
    }
  })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
