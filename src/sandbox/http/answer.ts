import type { ServerResponse } from 'node:http'
import { StatusError } from '../errors.ts'

/** Sends a JSON text. */
export function sendJson(response: ServerResponse, code: number, json: string, warnings: readonly string[] = []): void {
  response.statusCode = code
  response.setHeader('content-type', 'application/json')
  response.setHeader('cache-control', 'no-cache, private')
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map(text => `299 - "${headerText(text)}"`),
    )
  response.end(json)
}

/** What a header may carry: printable ASCII, quotes escaped. */
function headerText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/[\\"]/g, '\\$&')
    .slice(0, 1_000)
}

/** Sends the Status of an error; what is no StatusError is a defect of the sandbox and says so. */
export function sendError(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof StatusError ? error : internal(error)
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status } = refusal
  if (status.code === 413) response.setHeader('connection', 'close')
  sendJson(response, status.code, JSON.stringify({ ...status, apiVersion: 'v1', metadata: {} }))
}

function internal(error: unknown): StatusError {
  const text = error instanceof Error ? error.message : String(error)
  return new StatusError(500, 'InternalError', `Internal error occurred in the sandbox: ${text}`)
}
