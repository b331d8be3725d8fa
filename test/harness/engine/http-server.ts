import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A request that the server got, with its whole body. */
export interface Received {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
  /** The body as it came. */
  bytes: Buffer
}

/** What the server says; a string is the body of a 200. */
export type Reply = string | { status: number; headers?: Record<string, string>; body?: string | Uint8Array }

/** A reply, or null to leave the request unanswered. */
export type Answer = Reply | null

/** A server on loopback that answers by a function and keeps what it was asked. */
export interface LoopbackServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly received: Received[]
}

/** Starts a server on 127.0.0.1; with key and certificate it speaks TLS. */
export async function serve(
  answer: (request: Received) => Answer | Promise<Answer>,
  tls?: { key: string; cert: string },
): Promise<LoopbackServer> {
  const received: Received[] = []
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    const bytes = Buffer.concat(chunks)
    const one = { method, path, headers, body: bytes.toString('utf8'), bytes }
    received.push(one)
    const reply = await answer(one)
    if (reply === null) return
    const { status, headers: given, body } = typeof reply === 'string' ? { status: 200, body: reply } : { ...reply }
    response.writeHead(status, given)
    response.end(body ?? '')
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    onRequest(request, response).catch(error => response.destroy(error as Error))
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    received,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
