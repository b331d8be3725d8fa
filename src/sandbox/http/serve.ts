import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Api } from '../api.ts'
import { noSuchPath, StatusError } from '../errors.ts'
import { discoveryVersion } from './accept.ts'
import { sendError, sendJson } from './answer.ts'
import { aggregatedDiscovery, apiGroup, apiGroups, apiResources, apiVersions } from './discovery.ts'
import type { Tokens } from './identity.ts'
import { serveObjects } from './objects.ts'
import { openApi } from './openapi.ts'
import { parseResourcePath } from './path.ts'

/** The Kubernetes version that the sandbox says it is; its kinds are those of this version. */
export const version = { major: '1', minor: '36', gitVersion: 'v1.36.3+offshoot-sandbox' }

const maxUrl = 16 << 10

/** Answers one request. Never throws: errors become Status answers. */
export async function serve(
  api: Api,
  tokens: Tokens,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    checkOrigin(request)
    const target = request.url ?? '/'
    if (target.length > maxUrl) throw new StatusError(414, 'URITooLong', `a URL has at most ${maxUrl} characters`)
    const url = new URL(target, 'http://127.0.0.1')
    if (serveFixed(url.pathname, request, response)) return
    if (url.pathname.startsWith('/openapi/')) return openApi(api, url, request, response)
    const path = parseResourcePath(url.pathname)
    if (path === undefined) return serveDiscovery(api, url.pathname, request, response)
    await serveObjects({ api, tokens, path, query: url.searchParams, request, response })
  } catch (error) {
    sendError(response, error)
  }
}

/** A web page must not reach what listens on loopback: not by a name that it made point here, nor as itself. */
function checkOrigin(request: IncomingMessage): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  const local = host === '127.0.0.1' || host === 'localhost' || host === '[::1]'
  if (!local || request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    throw new StatusError(403, 'Forbidden', 'the sandbox answers programs on this machine, not web pages')
  }
}

function serveFixed(pathname: string, request: IncomingMessage, response: ServerResponse): boolean {
  if (/^\/(readyz|livez|healthz)(\/|$)/.test(pathname)) {
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end('ok')
    return true
  }
  if (pathname !== '/version' && pathname !== '/version/') return false
  if (request.method !== 'GET') throw noSuchPath()
  sendJson(response, 200, JSON.stringify({ ...version, platform: `${process.platform}/${process.arch}` }))
  return true
}

function serveDiscovery(api: Api, pathname: string, request: IncomingMessage, response: ServerResponse): void {
  const [root, ...parts] = pathname.split('/').filter(part => part !== '')
  const aggregated = discoveryVersion(request.headers.accept)
  const { registry } = api
  if ((root === 'api' || root === 'apis') && parts.length === 0 && aggregated) {
    const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`
    response.setHeader('vary', 'Accept')
    response.setHeader('content-type', type)
    response.end(JSON.stringify(aggregatedDiscovery(registry, root, aggregated)))
    return
  }
  sendJson(response, 200, JSON.stringify(legacyDiscovery(api, root ?? '', parts, request)))
}

function legacyDiscovery({ registry }: Api, root: string, parts: readonly string[], request: IncomingMessage) {
  const [first, second] = parts
  if (root === 'api') return first === undefined ? apiVersions(hostOf(request)) : apiResources(registry, '', first)
  if (first === undefined) return apiGroups(registry)
  return second === undefined ? apiGroup(registry, first) : apiResources(registry, first, second)
}

function hostOf(request: IncomingMessage): string {
  return request.headers.host ?? '127.0.0.1'
}
