import type { KubeObject } from '../../kube/types.ts'
import { timestamp } from '../../util/clock.ts'
import { type Api, timeOf, type User, type WriteRequest } from '../api.ts'
import { badRequest, type FieldProblem, invalid, noSuchPath, StatusError } from '../errors.ts'
import type { Tokens } from '../http/identity.ts'
import { isRecord } from '../schema/schema.ts'
import { decode } from './admit.ts'
import { existing, write } from './update.ts'

/** TokenRequest: a token for a ServiceAccount. @throws StatusError */
export function createToken(api: Api, body: unknown, request: WriteRequest, tokens: Tokens): KubeObject {
  const account = existing(api, request)
  const spec = isRecord(body) && isRecord(body.spec) ? body.spec : {}
  const seconds = Number(spec.expirationSeconds ?? 3600)
  if (!Number.isInteger(seconds) || seconds < 600 || seconds > 2 ** 32) {
    const field = 'spec.expirationSeconds'
    const message = `TokenRequest.authentication.k8s.io "" is invalid: ${field}: Invalid value: ${seconds}: may not specify a duration less than 10 minutes`
    throw new StatusError(422, 'Invalid', message, { causes: [{ reason: 'FieldValueInvalid', field, message }] })
  }
  const audiences = Array.isArray(spec.audiences) ? spec.audiences.map(String) : ['https://kubernetes.default.svc']
  const { namespace = '', name = '', uid = '' } = account.metadata
  const token = tokens.issue(namespace, name, uid, seconds, audiences)
  const expirationTimestamp = timestamp(api.clock.now() + seconds * 1000)
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timeOf(api) },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp },
  }
}

/** Reviews are answered, not stored. Nobody is refused anything here, and the answer says so. */
export function review(body: unknown, request: WriteRequest, user: User, tokens: Tokens): KubeObject {
  const { apiVersion, kind } = request.resource
  if (!isRecord(body)) throw badRequest(`${kind} needs a body`)
  const spec = isRecord(body.spec) ? body.spec : {}
  const userInfo = { username: user.username, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups }
  const answer = { apiVersion, kind, metadata: {}, spec }
  if (kind === 'SelfSubjectReview') return { ...answer, status: { userInfo } }
  if (kind === 'TokenReview') {
    const found = typeof spec.token === 'string' ? tokens.read(spec.token) : undefined
    return { ...answer, status: found ? { authenticated: true, user: found } : { error: 'unknown token' } }
  }
  if (kind === 'SelfSubjectRulesReview') {
    const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
    const resourceRules = [everything]
    return {
      ...answer,
      status: { resourceRules, nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }], incomplete: false },
    }
  }
  return { ...answer, status: { allowed: true, reason: 'the sandbox has no RBAC: everybody may do everything' } }
}

/** Takes the finalizers of a namespace's spec as given, which no other endpoint does. @throws StatusError */
export function finalize(api: Api, body: unknown, request: WriteRequest): KubeObject {
  const wanted = decode(body, request)
  const { finalizers = [] } = (wanted.spec ?? {}) as { finalizers?: unknown[] }
  const problems = finalizers.flatMap((one, index): FieldProblem[] => {
    if (one === 'kubernetes' || /^[^/]+\/[^/]+$/.test(String(one))) return []
    const message = `Invalid value: ${JSON.stringify(one)}: name is neither a standard finalizer name nor is it fully qualified`
    return [{ field: `spec.finalizers[${index}]`, reason: 'FieldValueInvalid', message }]
  })
  if (problems.length > 0) throw invalid(request.resource, request.name, problems)
  return write(api, existing(api, request), wanted, request)
}

/** `autoscaling/v1` Scale of an object. @throws StatusError */
export function getScale(api: Api, request: WriteRequest): KubeObject {
  return scaleOf(existing(api, request), request)
}

/** Sets the replicas of an object. @throws StatusError */
export function putScale(api: Api, body: unknown, request: WriteRequest): KubeObject {
  const before = existing(api, request)
  const wanted = isRecord(body) && isRecord(body.spec) ? body.spec.replicas : undefined
  if (typeof wanted !== 'number' || !Number.isInteger(wanted) || wanted < 0) {
    throw badRequest('spec.replicas must be a whole number, zero or more')
  }
  const path = pathsOf(request).specReplicasPath
  const after = withValue(before, path.split('.').slice(1), wanted) as KubeObject
  const given = isRecord(body) && isRecord(body.metadata) ? body.metadata.resourceVersion : undefined
  const metadata = {
    ...after.metadata,
    ...(typeof given === 'string' && given !== '' ? { resourceVersion: given } : {}),
  }
  return scaleOf(write(api, before, { ...after, metadata }, { ...request, subresource: '' }), request)
}

function pathsOf({ resource }: WriteRequest) {
  return (
    resource.custom?.scale ?? {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: undefined,
    }
  )
}

function scaleOf(object: KubeObject, request: WriteRequest): KubeObject {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = pathsOf(request)
  if (!request.resource.subresources.includes('scale')) throw noSuchPath()
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const value = (path: string) =>
    path
      .split('.')
      .slice(1)
      .reduce((at: unknown, part) => (isRecord(at) ? at[part] : undefined), object)
  const selector = labelSelectorPath === undefined ? selectorText(object) : value(labelSelectorPath)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as KubeObject['metadata'],
    spec: value(specReplicasPath) ? { replicas: value(specReplicasPath) } : {},
    status: { replicas: value(statusReplicasPath) ?? 0, ...(selector ? { selector } : {}) },
  }
}

function selectorText(object: KubeObject): string | undefined {
  const { selector } = (object.spec ?? {}) as { selector?: { matchLabels?: Record<string, string> } }
  const labels = selector?.matchLabels
  return (
    labels &&
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')
  )
}

function withValue(object: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined) return value
  const record = isRecord(object) ? object : {}
  return { ...record, [first]: withValue(record[first], rest, value) }
}
