import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '../engine/certificate.ts'

/** A server with a certificate that only its own authority vouches for, which passes everything on. */
export interface TlsFront extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string
  /** The authority, as PEM. */
  readonly ca: string
  /** `user:password` of every request; empty for those without. */
  readonly users: readonly string[]
}

/** Starts a front on loopback for the server at this origin. */
export async function tlsFront(origin: string): Promise<TlsFront> {
  const { cert, key } = await selfSigned('127.0.0.1')
  const users: string[] = []
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    users.push(Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString())
    const passed = request(`${origin}${url}`, { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', error => outgoing.destroy(error))
    incoming.pipe(passed)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: cert,
    users,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
