import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/types.ts'
import type { Api, WriteRequest } from '../api.ts'
import { badRequest, invalid, StatusError } from '../errors.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { applyStrategicPatch } from '../patch/strategic.ts'
import { decode } from './admit.ts'
import { apply } from './apply.ts'
import { existing, write } from './update.ts'

/** Patches an object by the content type of the request. @throws StatusError */
export function patch(
  api: Api,
  type: string,
  body: unknown,
  request: WriteRequest,
): { object: KubeObject; created: boolean } {
  if (type === 'application/apply-patch+yaml' || type === 'application/apply-patch+cbor')
    return apply(api, body, request)
  const object = existing(api, request)
  const patched = patchedWith(type, object, body, request)
  const text = JSON.stringify(patched)
  if (Buffer.byteLength(text) > 4 << 20) throw badRequest('the patched object is too large')
  const wanted = decode(patched, request)
  const { uid } = wanted.metadata
  if (uid !== object.metadata.uid) {
    const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`
    throw invalid(request.resource, request.name, [{ field: 'metadata.uid', reason: 'FieldValueInvalid', message }])
  }
  return { object: write(api, object, wanted, request), created: false }
}

function patchedWith(type: string, object: KubeObject, body: unknown, { resource }: WriteRequest): unknown {
  if (type === 'application/json-patch+json') return applyJsonPatch(object, body)
  if (type === 'application/merge-patch+json') return applyMergePatch(object, body)
  if (type === 'application/strategic-merge-patch+json' && !resource.custom) {
    return applyStrategicPatch(object, body, resource.schema)
  }
  const accepted = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml'
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`
  throw new StatusError(415, 'UnsupportedMediaType', message)
}
