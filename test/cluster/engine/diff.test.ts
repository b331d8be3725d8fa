import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { BaseObject } from '../../../src/engine/result/types.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { configMap, type Outcome, TestProject } from '../../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../../harness/cluster.ts'

afterAll(() => adminClient().close())

/** A project of one item in a namespace of its own; `NS` in its files is the namespace. */
async function story(files: Record<string, string>) {
  const namespace = await uniqueNamespace('diff')
  const project = await TestProject.of({ '.kluctl.yaml': `discriminator: ${namespace}\n` })
  const write = (changed: Record<string, string>) => {
    const entries = Object.entries(changed).map(([path, text]) => [path, text.replaceAll('NS', namespace)] as const)
    return project.write(Object.fromEntries(entries))
  }
  await write({ 'deployment.yaml': 'deployments:\n- path: app\n', ...files })
  const run = async (...args: string[]): Promise<Outcome> => {
    const outcome = await project.run([...args, '--kubeconfig', adminKubeconfig()])
    expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0)
    return outcome
  }
  const deploy = (...args: string[]) => run('deploy', '--yes', '--write-command-result=false', ...args)
  const diff = async () => {
    const result = parse((await run('diff', '-o', 'yaml')).stdout) as { compactedObjects: BaseObject[] }
    return result.compactedObjects
  }
  return { namespace, write, run, deploy, diff, [Symbol.asyncDispose]: () => project[Symbol.asyncDispose]() }
}

const named = (annotations: string) => `  namespace: NS\n  annotations: {${annotations}}\n`

/** Everything that a real server defaults, rewrites or keeps for itself. */
const many = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        env: [{name: B, value: x}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 1, memory: 0.5Gi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NS}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 443, name: https}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: NS}
stringData: {key: value}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: NS}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: NS}
`

it('is empty after a deployment, and a second one writes nothing', async () => {
  await using one = await story({ 'app/many.yaml': many })
  await one.deploy()
  const kinds = ['v1 Service', 'v1 Secret', 'networking.k8s.io/v1 NetworkPolicy', 'v1 ServiceAccount']
  const versions = () =>
    Promise.all(
      kinds.map(async text => {
        const [apiVersion = '', kind = ''] = text.split(' ')
        const key = { apiVersion, kind, name: 'web', namespace: one.namespace }
        return (await adminClient().get<KubeObject>(key))?.metadata.resourceVersion
      }),
    )
  const before = await versions()
  expect((await one.diff()).filter(({ changes, new: isNew }) => changes || isNew)).toEqual([])
  await one.deploy()
  expect(await versions()).toEqual(before)
})

it('compares objects whose name changes with their contents, and tells the old ones as orphans', async () => {
  const map = (name: string, value: string) => ({
    'app/map.yaml': configMap(name, { d1: value }, named('kluctl.io/diff-name: cm')),
  })
  await using one = await story(map('cm-1', 'a'))
  await one.deploy()
  await one.write(map('cm-2', 'b'))
  const ref = { version: 'v1', kind: 'ConfigMap', namespace: one.namespace }
  expect(await one.diff()).toMatchObject([
    {
      ref: { ...ref, name: 'cm' },
      changes: [
        { type: 'update', jsonPath: 'data.d1', oldValue: 'a', newValue: 'b', unifiedDiff: '-a\n+b' },
        {
          type: 'update',
          jsonPath: 'metadata.name',
          oldValue: 'cm-1',
          newValue: 'cm-2',
          unifiedDiff: '-cm-1\n+cm-2',
        },
      ],
    },
    { ref: { ...ref, name: 'cm-1' }, orphan: true },
  ])
})

it('leaves out what the project and the objects ask to leave out', async () => {
  const files = (value: string) => ({
    'deployment.yaml':
      'deployments:\n- path: app\nignoreForDiff:\n- kind: ConfigMap\n  name: rule\n  fieldPath: data.ignored\n',
    'app/rule.yaml': configMap('rule', { ignored: value, seen: value }, named('')),
    'app/whole.yaml': configMap('whole', { any: value }, named('kluctl.io/ignore-diff: "true"')),
    'app/field.yaml': configMap('field', { 'a.b': value }, named(`kluctl.io/ignore-diff-field: 'data["a.b"]'`)),
  })
  await using one = await story(files('one'))
  await one.deploy()
  await one.write(files('two'))
  const changed = (await one.diff()).flatMap(({ changes = [] }) => changes.map(({ jsonPath }) => jsonPath))
  expect(changed).toEqual(['data.seen'])
})

it('shows that secrets change, not what they are, unless it is asked to', async () => {
  const secret = (value: string) =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: NS}\nstringData: {key: ${value}}\n`
  const vars = (value: string) =>
    `deployments:\n- path: app\nvars:\n- values: {password: ${value}}\n  sensitive: true\n`
  const files = (value: string) => ({
    'deployment.yaml': vars(`password-${value}`),
    'app/s.yaml': secret(`secret-${value}`),
    'app/map.yaml': configMap('map', { url: 'http://u:{{ password }}@host' }, named('')),
  })
  await using one = await story(files('one'))
  await one.deploy()
  await one.write(files('two'))
  const encoded = ['one', 'two'].map(value => Buffer.from(`secret-${value}`).toString('base64'))
  const hidden = [...encoded, 'secret-one', 'secret-two', 'password-one', 'password-two']
  const text = (await one.run('diff')).stdout
  const yaml = (await one.run('diff', '-o', 'yaml')).stdout
  expect(text).toContain('***** (obfuscated)')
  for (const value of hidden) expect(text + yaml).not.toContain(value)
  const shown = (await one.run('diff', '--no-obfuscate')).stdout
  for (const value of [...encoded, 'password-one', 'password-two']) expect(shown).toContain(value)
})

it("gives up what a controller owns and says so, and takes back what was changed by a person's hand", async () => {
  const files = (value: string) => ({ 'app/map.yaml': configMap('map', { a: value, b: value, c: value }, named('')) })
  await using one = await story(files('one'))
  await one.deploy()
  const metadata = { name: 'map', namespace: one.namespace }
  const take = (data: Record<string, string>, fieldManager: string) =>
    adminClient().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, { fieldManager, force: true })
  await take({ a: 'theirs' }, 'controller')
  await take({ b: 'by hand' }, 'kubectl-edit')
  await one.write(files('two'))
  const { stdout } = await one.deploy()
  expect(stdout).toContain("Not updating field '.data.a' as we lost field ownership")
  expect(stdout).not.toContain("'.data.b'")
  const key = { apiVersion: 'v1', kind: 'ConfigMap', ...metadata }
  expect(await adminClient().get(key)).toMatchObject({ data: { a: 'theirs', b: 'two', c: 'two' } })
  await one.deploy('--force-apply')
  expect(await adminClient().get(key)).toMatchObject({ data: { a: 'two', b: 'two', c: 'two' } })
})
