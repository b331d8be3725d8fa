import { afterAll, expect, it } from 'vitest'
import { configMap, TestProject } from '../../engine/harness/project.ts'
import { adminClient, uniqueNamespace } from '../../harness/cluster.ts'
import { deployProject } from '../../harness/engine/deployer.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

interface Case {
  annotations?: Record<string, string>
  /** A rule of the project's `conflictResolution`. */
  rule?: Record<string, unknown>
  /** Who has `a` and `b` in the end, and what the deployment says that it lost. */
  owners: [a: 'ours' | 'theirs', b: 'ours' | 'theirs']
  lost: string[]
}

/** ConfigMaps whose fields `a` and `b` a controller has taken, by name. */
const cases: Record<string, Case> = {
  plain: { owners: ['theirs', 'theirs'], lost: ['.data.a', '.data.b'] },
  forced: { annotations: { 'kluctl.io/force-apply': 'true' }, owners: ['ours', 'ours'], lost: [] },
  'forced-field': {
    annotations: { 'kluctl.io/force-apply-field': 'data.a' },
    owners: ['ours', 'theirs'],
    lost: ['.data.b'],
  },
  'forced-manager': { annotations: { 'kluctl.io/force-apply-manager': 'contr.*' }, owners: ['ours', 'ours'], lost: [] },
  ignored: { annotations: { 'kluctl.io/ignore-conflicts': 'true' }, owners: ['theirs', 'theirs'], lost: [] },
  'ignored-field': {
    annotations: { 'kluctl.io/ignore-conflicts-field': 'data.a' },
    owners: ['theirs', 'theirs'],
    lost: ['.data.b'],
  },
  'ignored-manager': {
    annotations: { 'kluctl.io/ignore-conflicts-manager': 'contr.*' },
    owners: ['theirs', 'theirs'],
    lost: [],
  },
  'rule-forced': {
    rule: { fieldPath: 'data.a', action: 'force-apply' },
    owners: ['ours', 'theirs'],
    lost: ['.data.b'],
  },
  'rule-expression': {
    rule: { fieldPathRegex: String.raw`^data\["[ab]"\]$`, action: 'force-apply' },
    owners: ['ours', 'ours'],
    lost: [],
  },
  'rule-ignored': { rule: { manager: 'contr.*', action: 'ignore' }, owners: ['theirs', 'theirs'], lost: [] },
}

it('who keeps a field that two want is told by the project: by rules and annotations, for fields and managers', async () => {
  const namespace = await uniqueNamespace('ownership')
  const rules = Object.entries(cases).flatMap(([name, { rule }]) =>
    rule === undefined ? [] : [{ kind: 'ConfigMap', name, ...rule }],
  )
  const files = (value: string) =>
    Object.entries(cases).map(([name, { annotations = {} }]) => {
      const metadata = `  namespace: ${namespace}\n  annotations: ${JSON.stringify(annotations)}\n`
      return [`maps/${name}.yaml`, configMap(name, { a: value, b: value }, metadata)]
    })
  await using project = await TestProject.of({
    'deployment.yaml': JSON.stringify({ deployments: [{ path: 'maps' }], conflictResolution: rules }),
    ...(Object.fromEntries(files('before')) as Record<string, string>),
  })
  expect((await deployProject(project, { kube: cluster })).errors).toEqual([])
  for (const name of Object.keys(cases)) {
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { a: 'theirs', b: 'theirs' },
    }
    await cluster.apply(theirs, { fieldManager: 'controller', force: true })
  }
  await project.write(Object.fromEntries(files('ours')) as Record<string, string>)
  const { errors, warnings } = await deployProject(project, { kube: cluster })
  expect(errors).toEqual([])

  const seen = Object.keys(cases).map(async name => {
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name }
    const { data } = (await cluster.get(key)) as { data?: Record<string, string> }
    const about = warnings.filter(warning => warning.startsWith(`${namespace}/ConfigMap/${name}: `)).join('\n')
    const lost = ['.data.a', '.data.b'].filter(field => about.includes(`'${field}' as we lost field ownership`))
    return [name, { owners: [data?.a, data?.b], lost }] as const
  })
  const expected = Object.entries(cases).map(([name, { owners, lost }]) => [name, { owners, lost }])
  expect(Object.fromEntries(await Promise.all(seen))).toEqual(Object.fromEntries(expected))
})
