import type { DeploymentProject } from '../deployment/tree.ts'
import type { Manifest } from '../item.ts'
import { compareBytes } from '../values.ts'
import { diffObjects } from './diff.ts'
import { byDiffRef, diffRefOf } from './diff-name.ts'
import { type DiffFlags, type IgnoreRule, ignoreRules, ignoresDiff, removeIgnored } from './ignore-diff.ts'
import { normalizeObject } from './normalize.ts'
import type { Problems } from './problems.ts'
import { formatRef, refKey, refOf } from './refs.ts'
import type { Change, ChangedObject, RemoteView } from './types.ts'

/** Rendered objects and the project whose rules are for them. */
export interface DiffedItem {
  readonly item: { readonly project: DeploymentProject }
  readonly objects: readonly Manifest[]
}

/** What a diff compares. */
export interface DiffInput {
  readonly items: readonly DiffedItem[]
  /** Objects as they are after the deployment, or would be: by `refKey`. What failed to apply is not in it. */
  readonly applied: ReadonlyMap<string, Manifest>
  /** Objects as they were before. */
  readonly remote: RemoteView
  readonly flags?: DiffFlags | undefined
}

/**
 * Which objects a deployment changes, sorted by reference, as kluctl's results list them. New objects and deleted ones
 * are not among them. An object that cannot be compared gets an error in `problems`.
 */
export function changedObjects({ items, applied, remote, flags }: DiffInput, problems: Problems): ChangedObject[] {
  const before = byDiffRef(remote.all())
  const changed: ChangedObject[] = []
  for (const { item, objects } of items) {
    const rules = ignoreRules(item.project, flags)
    for (const rendered of objects) {
      const ref = diffRefOf(rendered)
      const [old, fresh] = [before.get(refKey(ref)), applied.get(refKey(refOf(rendered)))]
      if (old === undefined || fresh === undefined) continue
      try {
        const changes = changesOf(old, fresh, rendered, rules)
        if (changes.length > 0) changed.push({ ref, changes })
      } catch (error) {
        problems.addError(refOf(rendered), error)
      }
    }
  }
  return changed.sort((a, b) => compareBytes(formatRef(a.ref), formatRef(b.ref)))
}

/**
 * The differences between two versions of a rendered object that are worth telling.
 * @throws EngineError for a rule or annotation that cannot be read
 */
export function changesOf(old: Manifest, fresh: Manifest, rendered: Manifest, rules: readonly IgnoreRule[]): Change[] {
  if (ignoresDiff(rendered)) return []
  const [left, right] = [normalizeObject(old), normalizeObject(fresh)]
  removeIgnored(left, rules, rendered)
  removeIgnored(right, rules, rendered)
  return diffObjects(left, right)
}
