import { type DeploymentProject, outwards } from '../deployment/tree.ts'
import type { Manifest } from '../item.ts'
import { locateJsonPath } from '../json-path.ts'
import type { IgnoreForDiff } from '../project/schema/deployment.ts'
import { type FieldPath, formatPath, leaves, removePaths } from './field-path.ts'
import { isAnnotated, numberedAnnotations, refOf } from './refs.ts'
import { regexTest, selects } from './selector.ts'

/** What a diff leaves out besides what the project and the objects say; flags of `diff`. */
export interface DiffFlags {
  readonly ignoreTags?: boolean | undefined
  readonly ignoreLabels?: boolean | undefined
  readonly ignoreAnnotations?: boolean | undefined
  /** Labels and annotations that kluctl itself sets. */
  readonly ignoreKluctlMetadata?: boolean | undefined
}

/** Fields that diffs of some objects leave out. */
export type IgnoreRule = Partial<IgnoreForDiff>

const tagLabels = String.raw`metadata\.labels\["kluctl\.io/tag-.*"\]`
const discriminatorLabel = String.raw`metadata\.labels\["kluctl\.io/discriminator"\]`
const folderAnnotation = String.raw`metadata\.annotations\["kluctl\.io/deployment-item-dir"\]`

/** The rules for items of a project: its own `ignoreForDiff`, those of the projects around it, and the flags'. */
export function ignoreRules(project: DeploymentProject, flags: DiffFlags = {}): IgnoreRule[] {
  const rules: IgnoreRule[] = [...outwards(project)].flatMap(({ project: at }) => at.config.ignoreForDiff ?? [])
  if (flags.ignoreTags === true) rules.push({ fieldPathRegex: [tagLabels] })
  if (flags.ignoreLabels === true) rules.push({ fieldPath: ['metadata.labels.*'] })
  if (flags.ignoreAnnotations === true) rules.push({ fieldPath: ['metadata.annotations.*'] })
  if (flags.ignoreKluctlMetadata === true) {
    rules.push({ fieldPathRegex: [tagLabels, discriminatorLabel, folderAnnotation] })
  }
  return rules
}

/** Whether the rendered object says that it has no diffs at all (`kluctl.io/ignore-diff`). */
export function ignoresDiff(rendered: Manifest): boolean {
  return isAnnotated(rendered, 'kluctl.io/ignore-diff')
}

/**
 * Removes what is to be left out from an object, in place: by the rules, and by the annotations
 * `kluctl.io/ignore-diff-field` and `kluctl.io/ignore-diff-field-regex` of the rendered object.
 * @throws EngineError for a path or regular expression that cannot be read
 */
export function removeIgnored(object: Manifest, rules: readonly IgnoreRule[], rendered: Manifest): void {
  const ref = refOf(object)
  const own: IgnoreRule = {
    fieldPath: numberedAnnotations(rendered, 'kluctl.io/ignore-diff-field'),
    fieldPathRegex: numberedAnnotations(rendered, 'kluctl.io/ignore-diff-field-regex'),
  }
  for (const rule of [...rules, own]) {
    if (!selects(rule, ref)) continue
    for (const path of rule.fieldPath ?? []) removePaths(object, locateJsonPath(path, object))
    for (const pattern of rule.fieldPathRegex ?? []) removePaths(object, leavesLike(object, pattern))
  }
}

function leavesLike(object: Manifest, pattern: string): FieldPath[] {
  const matches = regexTest(pattern)
  return [...leaves(object)].map(([path]) => path).filter(path => matches(formatPath(path)))
}
