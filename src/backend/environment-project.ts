import type { GitRef } from '../engine/host.ts'
import type { BackendContext } from './backend.ts'
import { type GitSecretReference, gitCredentialFor } from './git-credential.ts'
import { type Discriminators, judgeDiscriminator, type Verdict } from './kluctl/discriminators.ts'
import type { PinnedProject, ProjectSources } from './project-source.ts'

/** Which Kluctl project an environment deploys. */
export interface EnvironmentProject {
  url: string
  path: string
  ref: GitRef
  /** Whether it is in the change's own repository, which the forge's credential opens. */
  ownRepository: boolean
  /** What else opens repositories, first match wins. */
  secrets?: readonly GitSecretReference[] | undefined
}

/**
 * The project at the commit that its ref means now, with what opens it.
 * @throws ProjectError, TerminalError; what reading a Secret throws
 */
export async function pinProject(
  { credentials, signal }: BackendContext,
  sources: ProjectSources,
  project: EnvironmentProject,
): Promise<PinnedProject> {
  const credential = await gitCredentialFor(credentials, project, project.secrets)
  return sources.pin(project, credential, signal)
}

/** The commit alone: a ref that names one needs no server and no credential. @throws as `pinProject` */
export async function commitOf(
  context: BackendContext,
  sources: ProjectSources,
  project: EnvironmentProject,
): Promise<string> {
  return project.ref.commit ?? (await pinProject(context, sources, project)).commit
}

/**
 * Whether a discriminator is this environment's own, or free; then it is claimed, and recorded by `recordDiscriminator`
 * before anything is done with it.
 */
export async function proveDiscriminator(
  context: BackendContext,
  discriminators: Discriminators,
  discriminator: string,
  deployment = '',
): Promise<Verdict> {
  const { metadata, status } = context.environment
  const recorded = status?.discriminators ?? []
  const { namespace, name: environment } = metadata
  const claimant = { namespace, environment, deployment, recorded: recorded.includes(discriminator) }
  const others = discriminator === '' ? [] : await discriminators.claim(discriminator, claimant)
  if (others.length > 0) context.log.warn({ discriminator, others }, 'discriminator belongs to others')
  return judgeDiscriminator(discriminator, recorded, others, namespace)
}

/** Records a discriminator for as long as the environment lives, if it is new. */
export async function recordDiscriminator(context: BackendContext, discriminator: string): Promise<void> {
  const recorded = context.environment.status?.discriminators ?? []
  if (!recorded.includes(discriminator)) await context.record({ discriminators: [...recorded, discriminator] })
}
