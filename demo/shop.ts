import { apiVersion, type ReviewProject } from '../src/api/index.ts'

/** The demo's repository. */
export const repositoryName = 'acme/shop'

/** What it holds at first. */
export const repositoryFiles = {
  'README.md': '# shop\nA repository to try Offshoot with.\n',
  'page.html': '<h1>Shop</h1>\n',
}

/** Name of the demo's project. */
export const projectName = 'shop'

/** The demo's project: two objects for every pull request that is no draft. */
export function shopProject(namespace: string, url: string, apiUrl: string) {
  return {
    apiVersion,
    kind: 'ReviewProject',
    metadata: { namespace, name: projectName },
    spec: {
      source: { url, forge: { type: 'github', apiUrl, secretRef: { name: 'shop-forge' } }, interval: '1m' },
      changes: { pullRequests: { drafts: false, labels: { none: ['no-preview'] } } },
      deploy: {
        objects: {
          manifests: [
            {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              metadata: { name: 'shop' },
              data: {
                commit: '{{ change.sha }}',
                environment: '{{ environment.name }}',
                branch: '{{ change.branch }}',
              },
            },
            {
              apiVersion: 'v1',
              kind: 'Service',
              metadata: { name: 'shop' },
              spec: { selector: { app: 'shop' }, ports: [{ port: 80 }] },
            },
          ],
        },
      },
      feedback: { url: 'https://{{ environment.name }}.preview.example.com' },
    },
  } as unknown as ReviewProject
}
