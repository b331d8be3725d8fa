import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/types.ts'
import type { FieldProblem } from '../errors.ts'
import { ruleProblems } from '../schema/cel.ts'
import { invalidValue, problem, validateSchema } from '../schema/validate.ts'
import type { DefinitionSpec } from './custom.ts'
import { keyProblem, labelValueProblem, nameProblem } from './names.ts'
import type { Resource } from './resource.ts'
import { workloadProblems } from './validate-workloads.ts'

const maxAnnotationBytes = 256 << 10

/** What in an object's metadata breaks the rules for all kinds. */
export function validateMetadata(
  object: KubeObject,
  before: KubeObject | undefined,
  resource: Resource,
): FieldProblem[] {
  const { name = '', labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = object.metadata
  const problems: FieldProblem[] = []
  const bad = (field: string, value: unknown, text: string | undefined) => {
    if (text !== undefined) problems.push(invalidValue(`metadata.${field}`, value, text))
  }
  if (!before) bad('name', name, nameProblem(name, resource.storage))
  for (const [key, value] of Object.entries(labels)) {
    bad('labels', key, keyProblem(key))
    bad('labels', value, labelValueProblem(value))
  }
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    bad('annotations', key, keyProblem(key.toLowerCase()))
    bytes += key.length + value.length
  }
  if (bytes > maxAnnotationBytes) {
    const text = `Too long: may not be more than ${maxAnnotationBytes} bytes`
    problems.push(problem('metadata.annotations', 'FieldValueTooLong', text))
  }
  for (const finalizer of finalizers) bad('finalizers', finalizer, keyProblem(finalizer))
  for (const [index, owner] of ownerReferences.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field]) {
        const text = 'Invalid value: "": must not be empty'
        problems.push(problem(`metadata.ownerReferences[${index}].${field}`, 'FieldValueInvalid', text))
      }
    }
  }
  problems.push(...newFinalizers(object, before))
  return problems
}

function newFinalizers(object: KubeObject, before: KubeObject | undefined): FieldProblem[] {
  if (before?.metadata.deletionTimestamp === undefined) return []
  const had = new Set(before.metadata.finalizers)
  const added = (object.metadata.finalizers ?? []).filter(one => !had.has(one))
  if (added.length === 0) return []
  const text = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(one => JSON.stringify(one)).join(', ')}}`
  return [problem('metadata.finalizers', 'FieldValueForbidden', text)]
}

/** What in a built-in object breaks its schema or the rules of its kind that the sandbox knows. */
export function validateBuiltIn(
  object: KubeObject,
  before: KubeObject | undefined,
  resource: Resource,
): FieldProblem[] {
  const { status: _status, ...rest } = object
  const found = resource.schema ? validateSchema(rest, resource.schema).filter(isOfSpec) : []
  return [...found, ...(rules[resource.storage] ?? none)(object, before), ...workloadProblems(object, before, resource)]
}

/** Fields that OpenAPI calls required only because Go always writes them. */
function isOfSpec({ field }: FieldProblem): boolean {
  return !/^(metadata|status)\b/.test(field) && !field.endsWith('.status')
}

type Rules = (object: KubeObject, before: KubeObject | undefined) => FieldProblem[]
const none: Rules = () => []

const dataKey = /^[-._a-zA-Z0-9]+$/

const dataRules: Rules = (object, before) => {
  const { data = {}, immutable } = object as { data?: Record<string, string>; immutable?: boolean }
  const problems = Object.keys(data)
    .filter(key => !dataKey.test(key) || key.length > 253)
    .map(key =>
      invalidValue(`data[${key}]`, key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"),
    )
  const was = before as { immutable?: boolean; data?: unknown; binaryData?: unknown } | undefined
  if (was?.immutable === true) {
    const text = 'Forbidden: field is immutable when `immutable` is set'
    if (immutable !== true) problems.push(problem('immutable', 'FieldValueForbidden', text))
    if (!isDeepStrictEqual(was.data, object.data)) problems.push(problem('data', 'FieldValueForbidden', text))
  }
  return problems
}

const secretRules: Rules = (object, before) => {
  const problems = dataRules(object, before)
  const text = 'field is immutable'
  if (before && before.type !== object.type) problems.push(invalidValue('type', object.type, text))
  return problems
}

const bindingRules: Rules = (object, before) => {
  if (!before || isDeepStrictEqual(before.roleRef, object.roleRef)) return []
  return [invalidValue('roleRef', object.roleRef, 'cannot change roleRef')]
}

const definitionRules: Rules = object => {
  const { group, names, versions } = object.spec as DefinitionSpec
  const problems: FieldProblem[] = []
  const expected = `${names.plural}.${group}`
  if (object.metadata.name !== expected) {
    problems.push(invalidValue('metadata.name', object.metadata.name, `must be spec.names.plural+"."+spec.group`))
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const text = 'must have exactly one version marked as storage version'
    problems.push(
      invalidValue(
        'spec.versions',
        versions.map(({ name }) => name),
        text,
      ),
    )
  }
  for (const [index, { schema }] of versions.entries()) {
    const path = `spec.versions[${index}].schema.openAPIV3Schema`
    if (!schema?.openAPIV3Schema)
      problems.push(problem(path, 'FieldValueRequired', 'Required value: schemas are required'))
    else problems.push(...ruleProblems(schema.openAPIV3Schema, path))
  }
  return problems
}

const rules: Readonly<Record<string, Rules>> = {
  configmaps: dataRules,
  secrets: secretRules,
  'rolebindings.rbac.authorization.k8s.io': bindingRules,
  'clusterrolebindings.rbac.authorization.k8s.io': bindingRules,
  'customresourcedefinitions.apiextensions.k8s.io': definitionRules,
}
