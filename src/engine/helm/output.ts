import { EngineError } from '../errors.ts'
import { emptyObject, isObject, type Json, type JsonObject } from '../values.ts'
import { readYamlAll, writeYamlAll } from '../yaml.ts'

/** Tells the cluster commands which namespace objects without one belong to; they remove it. */
export const installNamespaceAnnotation = 'kluctl.io/helm-install-namespace'

/**
 * What Helm printed, as the file that Kustomize reads: hooks of `helm test` dropped, the namespace noted, the last of
 * duplicate keys kept. The order is Helm's: kinds in install order, then hooks.
 * @throws EngineError for what is no object
 */
export function manifestsOf(printed: string, namespace: string | undefined): string {
  const objects: Json[] = []
  for (const object of readYamlAll(printed, { duplicates: 'last' })) {
    if (!isObject(object)) throw new EngineError('yaml object is not a map')
    if (isTestHook(object)) continue
    if (namespace !== undefined) annotate(object, installNamespaceAnnotation, namespace)
    objects.push(object)
  }
  return writeYamlAll(objects)
}

function isTestHook({ metadata }: JsonObject): boolean {
  const annotations = isObject(metadata) ? metadata.annotations : undefined
  const events = isObject(annotations) ? annotations['helm.sh/hook'] : undefined
  return typeof events === 'string' && events.split(',').some(event => event.trim() === 'test')
}

function annotate(object: JsonObject, name: string, value: string): void {
  const metadata = isObject(object.metadata) ? object.metadata : emptyObject()
  const annotations = isObject(metadata.annotations) ? metadata.annotations : emptyObject()
  annotations[name] = value
  metadata.annotations = annotations
  object.metadata = metadata
}
