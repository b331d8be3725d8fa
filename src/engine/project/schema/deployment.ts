import { z } from 'zod'
import { sourceNames } from '../../vars/source.ts'
import {
  anyMap,
  anyValue,
  goBool,
  goString,
  list,
  strictString,
  stringMap,
  stringOrList,
  strings,
  struct,
} from './go.ts'
import { gitProject, ociProject } from './sources.ts'

const sourceFields = Object.fromEntries(sourceNames.map(name => [name, anyValue.optional()])) as Record<
  (typeof sourceNames)[number],
  z.ZodOptional<typeof anyValue>
>

/** One entry of `vars`: what stands under the source's name is judged by the source itself, once rendered. */
export const varsEntry = struct({
  ...sourceFields,
  values: anyMap.optional(),
  systemEnvVars: anyMap.optional(),
  ignoreMissing: goBool.optional(),
  noOverride: goBool.optional(),
  sensitive: goBool.optional(),
  multidoc: goBool.optional(),
  targetPath: goString.optional(),
  when: goString.optional(),
}).superRefine((entry, context) => {
  const used = sourceNames.filter(name => entry[name] !== undefined)
  const known = sourceNames.join(', ')
  if (used.length === 0)
    context.addIssue({ code: 'custom', message: `unknown vars source type; expected one of ${known}` })
  if (used.length > 1)
    context.addIssue({ code: 'custom', message: `more then one vars source type: ${used.join(', ')}` })
})
export type VarsEntry = z.output<typeof varsEntry>

const objectReference = struct({
  group: strictString.optional(),
  kind: strictString.optional(),
  name: strictString.pipe(z.string().min(1, { error: 'must be set' })),
  namespace: strictString.optional(),
}).superRefine(({ group, kind }, context) => {
  if (group === undefined && kind === undefined) {
    context.addIssue({ code: 'custom', message: 'at least one of group or kind must be set' })
  }
})
export type ObjectReference = z.output<typeof objectReference>

const objectSelector = {
  group: goString.optional(),
  kind: goString.optional(),
  name: goString.optional(),
  namespace: goString.optional(),
}

const ignoreForDiff = struct({
  fieldPath: stringOrList.optional(),
  fieldPathRegex: stringOrList.optional(),
  ...objectSelector,
}).superRefine(({ fieldPath = [], fieldPathRegex = [] }, context) => {
  if (fieldPath.length + fieldPathRegex.length === 0) {
    context.addIssue({ code: 'custom', message: 'at least one of fieldPath or fieldPathRegex must be set' })
  }
})
export type IgnoreForDiff = z.output<typeof ignoreForDiff>

const conflictResolution = struct({
  fieldPath: stringOrList.optional(),
  fieldPathRegex: stringOrList.optional(),
  manager: stringOrList.optional(),
  ...objectSelector,
  action: z.enum(['ignore', 'force-apply'], { error: 'expected ignore or force-apply' }),
}).superRefine(({ fieldPath = [], fieldPathRegex = [], manager = [] }, context) => {
  if (fieldPath.length + fieldPathRegex.length + manager.length === 0) {
    const message = 'at least one of fieldPath, fieldPathRegex or manager must be set'
    context.addIssue({ code: 'custom', message })
  }
})
export type ConflictResolution = z.output<typeof conflictResolution>

/** One entry of `deployments` (kluctl, docs/kluctl/deployments/deployment-yml.md). */
export const deploymentItem = struct({
  path: goString.optional(),
  include: goString.optional(),
  git: gitProject.optional(),
  oci: ociProject.optional(),
  deleteObjects: list(objectReference).optional(),
  tags: strings.optional(),
  barrier: goBool.default(false),
  message: goString.optional(),
  recursive: goBool.default(false),
  waitReadiness: goBool.default(false),
  waitReadinessObjects: list(objectReference).optional(),
  args: anyMap.optional(),
  passVars: goBool.default(false),
  vars: list(varsEntry).optional(),
  skipDeleteIfTags: goBool.default(false),
  onlyRender: goBool.default(false),
  alwaysDeploy: goBool.default(false),
  when: goString.default(''),
}).superRefine((item, context) => {
  const refuse = (field: string | undefined, message: string) =>
    context.addIssue({ code: 'custom', path: field === undefined ? [] : [field], message })
  const kinds = [item.path, item.include, item.git, item.oci].filter(kind => kind !== undefined).length
  const includes = item.include !== undefined || item.git !== undefined || item.oci !== undefined
  if (kinds > 1) refuse(undefined, 'only one of path, include, git and oci can be set at the same time')
  if (item.recursive && item.path === undefined) refuse('recursive', 'recursive can only be set when path is set')
  if (item.path === undefined && item.waitReadiness) {
    refuse('waitReadiness', 'only kustomize deployments are allowed to have waitReadiness set')
  }
  if (Object.keys(item.args ?? {}).length > 0 && !includes) {
    refuse('args', 'args are only allowed when another project is included (via include, git or oci)')
  }
  if (item.passVars && !includes) {
    refuse('passVars', 'passVars is only allowed when another project is included (via include, git or oci)')
  }
})
export type DeploymentItemConfig = z.output<typeof deploymentItem>

/** `deployment.yaml`. */
export const deploymentProject = struct({
  vars: list(varsEntry).optional(),
  when: goString.default(''),
  deployments: list(deploymentItem).optional(),
  commonLabels: stringMap.optional(),
  commonAnnotations: stringMap.optional(),
  overrideNamespace: goString.optional(),
  tags: strings.optional(),
  ignoreForDiff: list(ignoreForDiff).optional(),
  conflictResolution: list(conflictResolution).optional(),
})
export type DeploymentConfig = z.output<typeof deploymentProject>
