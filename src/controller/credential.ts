import type { ControllerContext } from './context.ts'
import { wantsSecret } from './git-secrets.ts'
import type { Place } from './keys.ts'
import type { Outcome } from './workers.ts'

/** Keeps the Git credential that kluctl fetches a project with, and asks to be called again before it ends. */
export async function reconcileCredential(
  context: ControllerContext,
  { namespace, name }: Place,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const project = context.stores.projects.get(namespace, name)
  if (project === undefined) return undefined
  const kept = await context.gitSecrets.ensure(project, signal)
  if (kept !== undefined) return { recheckAfter: Math.max(1_000, kept.goodUntil - context.clock.now()) }
  // Only where one could have been: for all others it would be a request that nobody needs.
  const hadOne = project.spec.source.forge.type === 'github' && project.spec.deploy.kluctlDeployment !== undefined
  if (hadOne || wantsSecret(project)) await context.gitSecrets.release(project, signal)
  return undefined
}
