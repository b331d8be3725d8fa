import { expect, onTestFinished, test } from 'vitest'
import { startFakeForge } from '../../harness/forge/forge.ts'
import { TestProject } from '../harness/project.ts'

const info = (environment: string) => `environment: ${environment}\nreplicas: 2\n`

const vars = (url: string) => `vars:
- values: {suffix: dev}
- gitFiles:
    url: ${url}
    ref: {branch: preview-.*}
    files:
    - glob: info.yaml
      parseYaml: true
    - glob: "docs/**"
      render: true
  targetPath: previews
deployments:
- path: app
`

const manifest = `{% for preview in previews %}
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ preview.ref.branch }}", namespace: n}
data:
  refStr: "{{ preview.refStr }}"
  environment: "{{ preview.filesByPath['info.yaml'].parsed.environment }}"
  note: "{{ preview.filesTree.docs['note.txt'].content | trim }}"
  paths: "{{ preview.files | map(attribute='path') | join(' ') }}"
---
{% endfor %}
`

test('gitFiles gives the files of every branch that matches, from a real repository over HTTP', async () => {
  const forge = await startFakeForge()
  onTestFinished(() => forge.close())
  const repository = await forge.createRepository('acme/previews', { files: { 'info.yaml': info('main') } })
  for (const branch of ['preview-1', 'preview-2', 'other']) {
    await repository.push(branch, { 'info.yaml': info(branch), 'docs/note.txt': `for ${branch} in {{ suffix }}\n` })
  }
  await using project = await TestProject.of({ 'deployment.yaml': vars(repository.url), 'app/config.yaml': manifest })
  const { stdout, stderr } = await project.render()
  const data = [...stdout.matchAll(/^ {2}(environment|note|paths|refStr): (.*)$/gm)].map(([, field, value]) => [
    field,
    value,
  ])
  expect(data, stderr).toEqual(
    ['preview-1', 'preview-2'].flatMap(branch => [
      ['environment', branch],
      ['note', `for ${branch} in dev`],
      ['paths', 'docs/note.txt info.yaml'],
      ['refStr', `refs/heads/${branch}`],
    ]),
  )
})
