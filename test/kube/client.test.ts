import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeConnectionError } from '../../src/kube/errors.ts'
import { createCertificates } from '../harness/control-plane/certificates.ts'
import { kubeconfig } from '../harness/control-plane/kubeconfig.ts'
import { freePorts } from '../harness/ports.ts'
import { clientFor, configMap, json, startOddServer, status } from './api-server.ts'

const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' }

describe('requests', () => {
  it('come again after 429, as the server asks', async () => {
    const server = await startOddServer()
    let refusals = 0
    server.handle((_, response) => {
      if (refusals++ < 2) json(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '0' })
      else json(response, 201, configMap('a', '1'))
    })
    await expect(server.client.create(configMap('a', ''))).resolves.toMatchObject({ metadata: { name: 'a' } })
    expect(server.requests).toHaveLength(3)
  })

  it('give the 429 up when the wait would pass the deadline', async () => {
    const server = await startOddServer()
    server.handle((_, response) => json(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '60' }))
    await expect(server.client.get(key, { timeout: 5_000 })).rejects.toMatchObject({ status: 429 })
    expect(server.requests).toHaveLength(1)
  })

  it('are not repeated when a write may have reached the server', async () => {
    const server = await startOddServer()
    server.handle(request => request.socket.destroy())
    await expect(server.client.create(configMap('a', ''))).rejects.toBeInstanceOf(KubeConnectionError)
    expect(server.requests).toHaveLength(1)
  })

  it('are repeated when a read was cut short', async () => {
    const server = await startOddServer()
    server.handle((request, response) => {
      if (server.requests.length === 1) request.socket.destroy()
      else json(response, 200, configMap('a', '1'))
    })
    expect(await server.client.get(key)).toBeDefined()
  })

  it('share a connection, deletions among them: a handshake costs more than most requests', async () => {
    const server = await startOddServer({ connections: 1 })
    const sockets = new Set<unknown>()
    server.handle((request, response) => {
      sockets.add(request.socket)
      json(response, 200, configMap('a', '1'))
    })
    for (let round = 0; round < 3; round++) {
      await server.client.create(configMap('a', ''))
      await server.client.delete(key, { uid: 'a' })
    }
    expect(sockets.size).toBe(1)
  })

  it('wait for a server that is not there yet, until their deadline', async () => {
    const [port = 0] = await freePorts(1)
    const client = clientFor(`http://127.0.0.1:${port}`)
    await expect(client.get(key, { timeout: 300 })).rejects.toThrow(/not done within 300 ms/)
  })

  it('end at their deadline when the server hangs', async () => {
    const server = await startOddServer()
    server.handle(() => undefined)
    await expect(server.client.get(key, { timeout: 100 })).rejects.toThrow(/no answer within/)
  })

  it('end at their deadline in the middle of a body', async () => {
    const server = await startOddServer()
    server.handle((_, response) => {
      response.writeHead(200).write('{"apiVersion":')
    })
    await expect(server.client.get(key, { timeout: 200 })).rejects.toThrow(/no answer/)
  })

  it('end when aborted, and are never sent if they still waited for a connection', async () => {
    const server = await startOddServer({ connections: 1 })
    const first = Promise.withResolvers<() => void>()
    server.handle((_, response) => {
      const answer = () => json(response, 200, configMap('a', '1'))
      if (server.requests.length === 1) first.resolve(answer)
      else answer()
    })
    const running = server.client.get(key)
    const release = await first.promise
    const abort = new AbortController()
    const waiting = server.client.create(configMap('late', ''), { signal: abort.signal })
    // Lets it get as far as the queue.
    await new Promise(setImmediate)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    release()
    await running
    await server.client.get(key)
    expect(server.requests.map(request => request.split(' ')[0])).toEqual(['GET', 'GET'])
  })

  it('refuse bodies beyond the cap', async () => {
    const server = await startOddServer({ maxBodyBytes: 1_000 })
    server.handle((_, response) => json(response, 200, { ...configMap('a', '1'), data: { a: 'x'.repeat(2_000) } }))
    await expect(server.client.get(key, { timeout: 300 })).rejects.toThrow(/larger than 1000 bytes/)
  })

  it('turn a Status into an error with its reason and causes', async () => {
    const server = await startOddServer()
    const causes = [{ field: 'data', message: 'bad' }]
    server.handle((_, response) => json(response, 422, status(422, 'Invalid', 'data is bad', { causes })))
    const failure = server.client.create(configMap('a', ''))
    await expect(failure).rejects.toMatchObject({ isInvalid: true, message: 'data is bad', details: { causes } })
  })

  it('report an answer that no API server gives, without the token', async () => {
    const server = await startOddServer()
    server.handle((_, response) => response.writeHead(502).end('<html>bad gateway</html>'))
    const failure = server.client.create(configMap('a', ''))
    await expect(failure).rejects.toThrow(/POST .*configmaps: HTTP 502: <html>bad gateway/)
    await expect(failure).rejects.not.toThrow(/secret-token/)
  })

  it('that HTTP does not allow fail instead of hanging', async () => {
    const server = await startOddServer()
    const bad = server.client.as({ user: 'line\nbreak' }).create(configMap('a', ''))
    await expect(bad).rejects.toBeInstanceOf(KubeConnectionError)
  })

  it('fail at once where the certificate is not to be trusted', async () => {
    const { server: pair, ca } = await createCertificates()
    const server = createServer({ cert: pair.certificate, key: pair.key }, (_, response) => response.end('{}'))
    server.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(clientFor(url).raw('/readyz')).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/certificate/) },
    })
    const trusting = KubeClient.fromKubeconfig({ text: kubeconfig(url, ca.certificate, { token: 'x' }) })
    onTestFinished(() => trusting.close())
    expect(await trusting.raw('/readyz')).toBe('{}')
  })

  it('tell a missing object from a missing kind', async () => {
    const server = await startOddServer()
    server.handle((_, response) =>
      json(response, 404, status(404, 'NotFound', 'no', { name: 'a', kind: 'configmaps' })),
    )
    expect(await server.client.get(key)).toBeUndefined()
    server.handle((_, response) => response.writeHead(404).end('404 page not found'))
    const before = server.discoveries()
    await expect(server.client.get(key)).rejects.toMatchObject({ isKindMissing: true })
    await expect(server.client.get(key)).rejects.toMatchObject({ isKindMissing: true })
    expect(server.discoveries()).toBeGreaterThan(before)
  })

  it('name the account they are made as', async () => {
    const server = await startOddServer()
    const seen: unknown[] = []
    server.handle((request, response) => {
      seen.push(request.headers['impersonate-user'], request.headers['impersonate-group'])
      json(response, 200, configMap('a', '1'))
    })
    await server.client.as({ serviceAccount: { namespace: 'ns', name: 'sa' } }).get(key)
    await server.client.as({ user: 'jane', groups: ['dev', 'ops'] }).get(key)
    await server.client.get(key)
    const list = ['system:serviceaccount:ns:sa', undefined, 'jane', 'dev, ops', undefined, undefined]
    expect(seen.map(value => (value === 'dev,ops' ? 'dev, ops' : value))).toEqual(list)
  })

  it('pass warnings on', async () => {
    const warnings: string[] = []
    const server = await startOddServer({ onWarning: warning => warnings.push(warning) })
    server.handle((_, response) =>
      json(response, 200, configMap('a', '1'), { warning: '299 - "v1 Foo is deprecated"' }),
    )
    await server.client.get(key)
    expect(warnings).toEqual(['v1 Foo is deprecated'])
  })

  it('pass warnings on to whoever made the request', async () => {
    const server = await startOddServer()
    server.handle((_, response) =>
      json(response, 200, configMap('a', '1'), { warning: '299 - "unknown field \\"spec.x\\""' }),
    )
    const warnings: string[] = []
    await server.client.get(key, { onWarning: warning => warnings.push(warning) })
    await server.client.get(key)
    expect(warnings).toEqual(['unknown field "spec.x"'])
  })

  it('carry integers that a double cannot hold', async () => {
    const server = await startOddServer()
    const bodies: string[] = []
    server.handle((_, response, body) => {
      bodies.push(body)
      json(response, 200, configMap('a', '1'))
    })
    const object = { ...configMap('a', '1'), spec: { big: 9_007_199_254_740_993n } }
    await server.client.apply(object, { fieldManager: 'test' })
    expect(bodies[0]).toContain('"big":9007199254740993')
  })
})

describe('list', () => {
  const page = (names: string[], next?: string) => ({
    metadata: { resourceVersion: '7', ...(next === undefined ? {} : { continue: next }) },
    items: names.map(name => configMap(name, '1')),
  })
  const kind = { apiVersion: 'v1', kind: 'ConfigMap' }

  it('starts again when its continue token expires', async () => {
    const server = await startOddServer()
    let expired = false
    server.handle((request, response) => {
      if (!request.url?.includes('continue=')) json(response, 200, page(['a', 'b'], 'next'))
      else if (!expired) {
        expired = true
        json(response, 410, status(410, 'Expired'))
      } else json(response, 200, page(['c']))
    })
    const { items, resourceVersion } = await server.client.list(kind)
    expect(items.map(item => item.metadata.name)).toEqual(['a', 'b', 'c'])
    expect(resourceVersion).toBe('7')
  })

  it('ends when a page repeats', async () => {
    const server = await startOddServer()
    server.handle((_, response) => json(response, 200, page(['a'], 'same')))
    await expect(server.client.list(kind)).rejects.toThrow(/repeats a page/)
  })
})
