import type { ReviewProject } from '../api/index.ts'
import { kluctlProblems, type LoadForCheck } from '../backend/check-project.ts'
import { gitCredentialFor } from '../backend/git-credential.ts'
import { ProjectError } from '../backend/project-error.ts'
import type { Problem } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'

/** How long a project may take to load before its check is put off, in milliseconds. */
const patience = 2_000

/** The project cannot be loaded just now: that says nothing about it. */
class NotNow extends Error {
  override readonly name = 'NotNow'
}

/**
 * What is wrong between a project and the trusted Kluctl project elsewhere that it deploys: the same for all its
 * environments, so the project itself says so. A Kluctl project in the change's own repository is judged for each
 * change. Undefined when it cannot be told now.
 */
export async function trustedProjectProblems(
  context: ControllerContext,
  project: ReviewProject,
  signal: AbortSignal,
): Promise<Problem[] | undefined> {
  const { kluctlDeployment, engine } = project.spec.deploy
  if ((kluctlDeployment ?? engine)?.project.url === undefined) return []
  const { namespace } = project.metadata
  const credentials = {
    own: () => Promise.resolve(undefined),
    secret: (name: string) => context.forges.secret(namespace, name, 'credentials.git'),
  }
  const load: LoadForCheck = async (located, request) => {
    const credential = await gitCredentialFor(credentials, located, located.secrets)
    try {
      const pinned = await context.projects.pin(located, credential, signal)
      const target = await context.projects.loadTarget(pinned, request, { patience, signal })
      if (target !== undefined) return target
    } catch (error) {
      if (!(error instanceof ProjectError && error.transient)) throw error
    }
    throw new NotNow()
  }
  try {
    return await kluctlProblems(project, load)
  } catch (error) {
    if (error instanceof NotNow) return undefined
    throw error
  }
}
