import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { parseDocument } from 'yaml'
import { messageOf } from '../../util/errors.ts'
import { badRequest, StatusError } from '../errors.ts'

/** Bytes of a request's body, as the API server's own limit. */
export const maxBodyBytes = 3 << 20

/** Reads a body. @throws StatusError 413 beyond the limit */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBodyBytes) chunks.push(chunk)
      else {
        chunks.length = 0
        request.removeAllListeners('data')
        request.resume()
        reject(new StatusError(413, 'RequestEntityTooLarge', `limit is ${maxBodyBytes}: the body is larger`))
      }
    })
    request.once('end', () => resolve(Buffer.concat(chunks, Math.min(size, maxBodyBytes))))
    request.once('error', reject)
    request.once('close', () => reject(badRequest('the request ended before its body did')))
  })
}

/** The media type of a request, without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** The value that a body holds: JSON, or YAML where its type says so. @throws StatusError 400, 415 */
export function parseBody(body: Buffer, type: string): unknown {
  if (body.length === 0) return undefined
  const text = body.toString('utf8')
  if (type.endsWith('yaml') && !text.trimStart().startsWith('{')) return parseYaml(text)
  if (type === '' || type.endsWith('json') || type.endsWith('yaml')) return parseJson(text)
  const message = `the sandbox reads JSON and YAML, not ${type}: write a manifest (kubectl ... --dry-run=client -o yaml) and apply it`
  throw new StatusError(415, 'UnsupportedMediaType', message)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`the body is no JSON: ${messageOf(error)}`)
  }
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, merge: true })
  const [error] = document.errors
  if (error) throw badRequest(`error decoding YAML: ${error.message}`)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw badRequest(`error decoding YAML: ${messageOf(cause)}`)
  }
}
