import type { ReviewProject } from '../api/index.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import { renderDesired } from '../environment/render.ts'
import { TerminalError } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import { fixedNamespace } from './namespace.ts'
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
  const namespace = await fixedNamespace(context, draft, signal)
  return renderDesired({ project, facts, revision, namespace, config })
}
