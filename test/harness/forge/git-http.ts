import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gitEnvironment } from './bare-repository.ts'

/**
 * Serves one request of Git's smart HTTP protocol with `git http-backend` (CGI).
 * Resolves when the response has been sent, which ends after `finish`: who pushed finds the consequences in place.
 */
export function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  path: string,
  query: string,
  finish: () => Promise<void>,
): Promise<void> {
  const encoding = request.headers['content-encoding']
  const child = spawn('git', ['http-backend'], {
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'story',
      REMOTE_ADDR: '127.0.0.1',
      ...(encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding }),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
      ...(request.headers['git-protocol'] === undefined
        ? {}
        : { GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => request.unpipe(child.stdin))
  response.on('close', () => child.kill())
  const served = new Promise<void>((resolve, reject) => {
    let head = Buffer.alloc(0)
    let headers = false
    child.stdout.on('data', (chunk: Buffer) => {
      if (headers) return void response.write(chunk)
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      headers = true
      writeHead(response, head.subarray(0, end).toString('latin1'))
      response.write(head.subarray(end + 4))
    })
    child.on('error', reject)
    child.on('close', () => {
      if (!headers && !response.headersSent) response.writeHead(500)
      finish().then(resolve, reject)
    })
  })
  return served.finally(() => response.end())
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200
  const headers: [string, string][] = []
  for (const line of head.split('\r\n')) {
    const name = line.slice(0, line.indexOf(':'))
    const value = line.slice(line.indexOf(':') + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else headers.push([name, value])
  }
  response.writeHead(status, headers.flat())
}
