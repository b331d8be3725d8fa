import { apiVersion, type ReviewProject, type ReviewProjectStatus } from '../api/index.ts'
import type { ControllerContext } from './context.ts'
import type { Place } from './keys.ts'
import { mergePatch } from './patch.ts'

/**
 * Changes a project's status: `change` gets the newest one and gives what it should be. Writers of one project take
 * turns, so that none overwrites another's; nothing is written when nothing differs.
 */
export function changeProjectStatus(
  context: ControllerContext,
  { namespace, name }: Place,
  change: (status: ReviewProjectStatus, project: ReviewProject) => ReviewProjectStatus,
  signal?: AbortSignal,
): Promise<void> {
  return context.locks.run(`status ${namespace}/${name}`, async () => {
    const project = context.stores.projects.get(namespace, name)
    if (project === undefined) return
    const status = mergePatch(project.status, change(project.status ?? {}, project))
    if (status === undefined) return
    const key = { apiVersion, kind: 'ReviewProject', namespace, name }
    const options = { type: 'merge', subresource: 'status', ...(signal === undefined ? {} : { signal }) } as const
    context.stores.projects.assume(await context.kube.patch<ReviewProject>(key, { status }, options))
  })
}
