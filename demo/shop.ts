import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { apiVersion, type ReviewProject } from '../src/api/index.ts'

/** The demo's repository. */
export const repositoryName = 'acme/shop'

const repositoryFolder = join(import.meta.dirname, 'repository')

/** What it holds at first, by path: a page, and a Kluctl project in `deploy`. */
export function repositoryFiles(): Record<string, string> {
  const entries = readdirSync(repositoryFolder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(files.map(file => [relative(repositoryFolder, file), readFileSync(file, 'utf8')]))
}

/** Name of the demo's project. */
export const projectName = 'shop'

/** The demo's project: every pull request that is no draft is deployed by the engine, with arguments of its own. */
export function shopProject(namespace: string, url: string, apiUrl: string) {
  return {
    apiVersion,
    kind: 'ReviewProject',
    metadata: { namespace, name: projectName },
    spec: {
      source: { url, forge: { type: 'github', apiUrl, secretRef: { name: 'shop-forge' } }, interval: '1m' },
      changes: { pullRequests: { drafts: false, labels: { none: ['no-preview'] } } },
      deploy: {
        engine: {
          project: { path: 'deploy' },
          target: 'preview',
          args: {
            environment: '{{ environment.name }}',
            namespace: '{{ environment.namespace }}',
            commit: '{{ change.sha }}',
          },
        },
      },
      feedback: { url: 'https://{{ environment.name }}.preview.example.com' },
    },
  } as unknown as ReviewProject
}
