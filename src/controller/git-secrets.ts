import { annotations, apiVersion, fieldManager, labels, managedByValue, type ReviewProject } from '../api/index.ts'
import { ownedSecret } from '../backend/owned-secret.ts'
import { gitSecretName, labelValue } from '../environment/names.ts'
import { parseRepositoryUrl } from '../forge/index.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { OffshootError } from '../util/errors.ts'
import { LruMap } from '../util/lru.ts'
import { CredentialError } from './credential-secret.ts'
import type { ForgeAccess } from './forge-access.ts'
import { placeOf } from './keys.ts'
import { KeyedLocks } from './locks.ts'

/** A credential in the Secret has at least this long to live, in milliseconds: kluctl reads it whenever it likes. */
const margin = 30 * 60_000
/** A Secret that somebody deleted or changed is mended after this at the latest, in milliseconds. */
const lookAgain = 10 * 60_000

type Secret = KubeObject & { data?: Record<string, string> }

/** An entry of KluctlDeployment's `spec.credentials.git`, and until when nothing has to be done for it. */
export interface GitSecret {
  entry: { host: string; path: string; secretRef: { name: string } }
  /** Milliseconds since the epoch. */
  goodUntil: number
}

/**
 * Secrets that let kluctl fetch from a GitHub App's repositories: a token that reads one repository and nothing else,
 * renewed while it still has half an hour. One per project, beside it, and gone with it.
 */
export class GitSecrets {
  readonly #kube: Pick<KubeClient, 'get' | 'apply' | 'delete'>
  readonly #forges: Pick<ForgeAccess, 'appGitCredential' | 'appGitOrigin'>
  readonly #clock: Clock
  readonly #locks = new KeyedLocks()
  readonly #known = new LruMap<string, GitSecret & { generation: number }>(10_000)

  constructor(
    kube: Pick<KubeClient, 'get' | 'apply' | 'delete'>,
    forges: Pick<ForgeAccess, 'appGitCredential' | 'appGitOrigin'>,
    clock: Clock,
  ) {
    this.#kube = kube
    this.#forges = forges
    this.#clock = clock
  }

  /**
   * Sees to it that the project's Secret holds a credential; undefined when the project needs none, or cannot have one.
   * @throws CredentialError, ForgeError, KubeError
   */
  async ensure(project: ReviewProject, signal: AbortSignal): Promise<GitSecret | undefined> {
    const place = placeOf(project)
    if (!wantsSecret(project)) return undefined
    const known = this.#known.get(place)
    const isCurrent = known?.generation === project.metadata.generation
    if (known !== undefined && isCurrent && known.goodUntil > this.#clock.now()) return known
    return this.#locks.run(place, () => this.#renew(project, signal))
  }

  /** Removes the Secret of a project that needs none any more. */
  async release(project: ReviewProject, signal: AbortSignal): Promise<void> {
    const key = keyOf(project)
    this.#known.delete(placeOf(project))
    const found = await this.#kube.get<Secret>(key, { signal })
    const { uid } = found?.metadata ?? {}
    if (found !== undefined && isOurs(found) && uid !== undefined) await this.#kube.delete(key, { uid, signal })
  }

  async #renew(project: ReviewProject, signal: AbortSignal): Promise<GitSecret | undefined> {
    const origin = await this.#forges.appGitOrigin(project)
    if (origin === undefined) return undefined
    const key = keyOf(project)
    const found = await this.#kube.get<Secret>(key, { signal })
    if (found !== undefined && !isOurs(found)) {
      const message = `Secret ${key.namespace}/${key.name} is not Offshoot’s: delete or rename it, its name is needed`
      throw new CredentialError('SecretForeign', message)
    }
    const stored = found === undefined ? undefined : expiryOf(found, origin)
    const isGood = stored !== undefined && stored - this.#clock.now() > margin
    const expiresAt = isGood ? stored : await this.#write(project, origin, signal)
    const { generation = 0 } = project.metadata
    const goodUntil = Math.min(expiresAt - margin, this.#clock.now() + lookAgain)
    const result = { entry: { ...addressOf(project), secretRef: { name: key.name } }, goodUntil, generation }
    this.#known.set(placeOf(project), result)
    return result
  }

  /** Gives when the new credential ends. */
  async #write(project: ReviewProject, origin: string, signal: AbortSignal): Promise<number> {
    const made = await this.#forges.appGitCredential(project, margin)
    const token = made?.credential?.token
    if (token === undefined) throw new OffshootError('the GitHub App gave no token')
    const expiresAt = made?.expiresAt ?? this.#clock.now() + 2 * margin
    await this.#kube.apply(secretFor(project, token, origin, expiresAt), { fieldManager, force: true, signal })
    return expiresAt
  }
}

/** Whether kluctl fetches the project’s own repository with what the forge's credential could give. */
export function wantsSecret({ spec }: ReviewProject): boolean {
  const { kluctlDeployment } = spec.deploy
  const { forge, url } = spec.source
  if (forge.type !== 'github' || kluctlDeployment === undefined || kluctlDeployment.project.url !== undefined)
    return false
  // A token opens nothing over SSH.
  const protocol = URL.parse(url)?.protocol
  return protocol === 'https:' || protocol === 'http:'
}

/** Host and path as kluctl compares them: in small letters, without `.git`. */
function addressOf({ spec }: ReviewProject): { host: string; path: string } {
  const { host, path } = parseRepositoryUrl(spec.source.url)
  return { host: host.toLowerCase(), path: path.toLowerCase().replace(/\.git$/, '') }
}

function keyOf({ metadata: { namespace, name } }: ReviewProject) {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: gitSecretName(name) }
}

function secretFor(project: ReviewProject, token: string, origin: string, expiresAt: number): KubeObject {
  const encode = (text: string) => Buffer.from(text).toString('base64')
  const owner = { apiVersion, kind: 'ReviewProject', metadata: project.metadata }
  return ownedSecret(owner, keyOf(project).name, {
    labels: { [labels.project]: labelValue(project.metadata.name) },
    annotations: { [annotations.digest]: origin, [annotations.expiresAt]: new Date(expiresAt).toISOString() },
    data: { username: encode('x-access-token'), password: encode(token) },
  })
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labels.managedBy] === managedByValue
}

/** When the Secret's credential ends, if it was made of the same App for the same repository. */
function expiryOf({ metadata, data }: Secret, origin: string): number | undefined {
  const { [annotations.digest]: made, [annotations.expiresAt]: at = '' } = metadata.annotations ?? {}
  const time = Date.parse(at)
  return made === origin && data?.password !== undefined && !Number.isNaN(time) ? time : undefined
}
