import type { ReviewProject } from '../api/index.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import { renderDesired } from '../environment/render.ts'
import { TerminalError } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import { isNameFixed } from './namespace.ts'
import type { StatusDraft } from './status-draft.ts'

/**
 * What an environment should be now.
 * @throws InvalidInputError with every mistake in the project's templates or the branch's config file
 */
export async function desiredOf(
  context: ControllerContext,
  project: ReviewProject,
  draft: StatusDraft,
  signal: AbortSignal,
): Promise<DesiredEnvironment> {
  const { spec, status } = draft.environment
  const { revision } = spec
  const facts = status?.change
  if (facts === undefined || revision === undefined) {
    throw new TerminalError('ChangeUnknown', 'neither the facts about the change nor its commit are known')
  }
  const forge = async () => (await context.forges.of(project)).forge
  const config = await context.commits.overrides(project, { sha: revision }, forge, signal)
  const render = (namespace?: string) => renderDesired({ project, facts, revision, namespace, config })
  const { namespace, times } = draft.status
  if (times?.namespaceCreated !== undefined) {
    return withGitCredential(context, project, render(namespace), signal)
  }
  const fresh = render()
  const isFixed = await isNameFixed(context, draft, fresh.namespace.name, signal)
  return withGitCredential(context, project, isFixed ? render(namespace) : fresh, signal)
}

/** Lets kluctl fetch what the project's GitHub App can; credentials that the project names itself come first. */
async function withGitCredential(
  context: ControllerContext,
  project: ReviewProject,
  desired: DesiredEnvironment,
  signal: AbortSignal,
): Promise<DesiredEnvironment> {
  const { backend } = desired
  if (backend.kind !== 'kluctlDeployment') return desired
  const kept = await context.gitSecrets.ensure(project, signal)
  if (kept === undefined) return desired
  const { git = [], ...others } = (backend.spec.credentials ?? {}) as { git?: readonly unknown[] }
  const credentials = { ...others, git: [...git, kept.entry] }
  return { ...desired, backend: { ...backend, spec: { ...backend.spec, credentials } } }
}
