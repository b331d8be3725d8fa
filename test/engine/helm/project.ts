import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { TestProject } from '../harness/project.ts'
import { tools } from '../kustomize/rendered.ts'

/** A project with one item `app` whose chart is given by these lines of `helmChart`. */
export async function helmProject(lines: readonly string[], files: Record<string, string> = {}): Promise<TestProject> {
  return TestProject.of({
    '.kluctl.yaml': 'targets:\n- name: t\n',
    'deployment.yaml': 'deployments:\n- path: app\n',
    'app/helm-chart.yaml': ['helmChart:', ...lines.map(line => `  ${line}`), ''].join('\n'),
    ...files,
  })
}

/** A cache of its own, so that nothing of another test is found in it; the programs are shared. */
export async function ownCache() {
  const folder = mkdtempSync(join(tmpdir(), 'offshoot-test-cache-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [helm, kustomize] = [await tools.get('helm'), await tools.get('kustomize')]
  return {
    OFFSHOOT_CACHE_DIR: folder,
    OFFSHOOT_HELM_BINARY: helm.path,
    OFFSHOOT_KUSTOMIZE_BINARY: kustomize.path,
  }
}
