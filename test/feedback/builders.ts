import type { ChangeFacts, ReviewEnvironment, ReviewEnvironmentStatus, ReviewProject } from '../../src/api/index.ts'
import { ReviewProjectSpec } from '../../src/api/index.ts'
import { type FeedbackView, maskFor, viewOf } from '../../src/feedback/index.ts'

export const sha = 'a'.repeat(40)

function factsOf(branch: string | undefined): ChangeFacts {
  const url = 'https://github.com/acme/shop'
  const common = { labels: [], draft: false, fork: false, sha, url }
  return branch === undefined
    ? { ...common, kind: 'pullRequest', number: 42, branch: 'feature' }
    : { ...common, kind: 'branch', branch }
}

/** An environment for pull request 42 of project offshoot/shop; a ready one runs its commit unless told otherwise. */
export function environmentWith(status: ReviewEnvironmentStatus = {}, branch?: string): ReviewEnvironment {
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    metadata: { namespace: 'offshoot', name: 'shop-pr-42', uid: 'u1' },
    spec: {
      projectRef: { name: 'shop' },
      change: branch === undefined ? { pullRequest: 42 } : { branch },
      origin: 'automatic',
      revision: sha,
    },
    status: {
      change: factsOf(branch),
      ...(status.state === 'Ready' ? { deployedRevision: sha } : {}),
      ...status,
    },
  }
}

export function projectWith(feedback: { comment?: boolean; status?: boolean; url?: string } = {}): ReviewProject {
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewProject',
    metadata: { namespace: 'offshoot', name: 'shop', uid: 'p1' },
    spec: ReviewProjectSpec.parse({
      source: { url: 'https://github.com/acme/shop.git', forge: { type: 'github' } },
      changes: { pullRequests: {} },
      deploy: { objects: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }] } },
      feedback,
    }),
  }
}

export function viewWith(status: ReviewEnvironmentStatus = {}, gone = false, secrets: string[] = []): FeedbackView {
  return viewOf(environmentWith(status), { gone, installation: '', mask: maskFor(secrets) })
}

export const failing = (message: string): ReviewEnvironmentStatus => ({
  state: 'Failed',
  conditions: [
    { type: 'Ready', status: 'False', reason: 'DeployFailed', message, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
})
