import { createHash } from 'node:crypto'
import {
  apiVersion,
  type ChangeFacts,
  changeKey,
  type ReviewEnvironment,
  type ReviewProject,
  ReviewProjectSpec,
} from '../../src/api/index.ts'
import type { Decision } from '../../src/environment/decide.ts'
import { newEnvironment } from '../../src/environment/new-environment.ts'

/** A commit id made from a word. */
export function shaOf(word: string): string {
  return createHash('sha1').update(word).digest('hex')
}

export function pullRequest(number: number, facts: Partial<ChangeFacts> = {}): ChangeFacts {
  return {
    kind: 'pullRequest',
    number,
    branch: `feature/${number}`,
    base: 'main',
    author: 'ann',
    title: `Change ${number}`,
    labels: ['preview'],
    draft: false,
    fork: false,
    sha: shaOf(`pr ${number}`),
    url: `https://forge.example.com/acme/shop/pull/${number}`,
    createdAt: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
    ...facts,
  }
}

export function branch(name: string, facts: Partial<ChangeFacts> = {}): ChangeFacts {
  return {
    kind: 'branch',
    branch: name,
    labels: [],
    draft: false,
    fork: false,
    sha: shaOf(`branch ${name}`),
    url: 'https://forge.example.com/acme/shop/tree',
    ...facts,
  }
}

/** `spec` as a person would write it, for a change to overlay. */
export const specInput = {
  source: { url: 'https://forge.example.com/acme/shop.git', forge: { type: 'github' } },
  changes: { pullRequests: {}, branches: { include: ['feature/*'] } },
  deploy: {
    kluctlDeployment: {
      target: 'preview',
      args: {
        environment: '{{ environment.name }}',
        namespace: '{{ environment.namespace }}',
        tag: '{{ change.sha }}',
      },
    },
  },
}

export function projectOf(spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): ReviewProject {
  return {
    apiVersion,
    kind: 'ReviewProject',
    metadata: { name: 'shop', namespace: 'offshoot', ...metadata },
    spec: ReviewProjectSpec.parse({ ...specInput, ...spec }),
  }
}

/** The environment that the controller makes for a change, with what its status would hold. */
export function environmentOf(
  project: ReviewProject,
  facts: ChangeFacts,
  overlay: { metadata?: object; spec?: object; status?: object } = {},
): ReviewEnvironment {
  const made = newEnvironment(project, facts)
  return {
    ...made,
    metadata: { ...made.metadata, ...overlay.metadata },
    spec: { ...made.spec, ...overlay.spec },
    status: { change: facts, ...overlay.status },
  }
}

/** What the cluster holds after decisions were carried out; deleted ones are gone at once. */
export function applied(existing: readonly ReviewEnvironment[], decisions: readonly Decision[]): ReviewEnvironment[] {
  const result = new Map(existing.map(environment => [changeKey(environment.spec.change), environment]))
  for (const decision of decisions) {
    if (decision.action === 'none' || decision.action === 'keep') continue
    const key = changeKey(decision.environment.spec.change)
    if (decision.action === 'delete') result.delete(key)
    else {
      const { environment, facts } = decision
      result.set(key, { ...environment, status: { ...environment.status, change: facts } })
    }
  }
  return [...result.values()]
}
