import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { TestProject } from '../../engine/harness/project.ts'
import { adminClient, adminKubeconfig, uniqueNamespace } from '../../harness/cluster.ts'

const cluster = adminClient()
afterAll(() => cluster.close())

const kinds = {
  ConfigMap: { apiVersion: 'v1', rest: { data: { a: 'b' } } },
  Secret: { apiVersion: 'v1', rest: { stringData: { password: 'x' } } },
  Service: { apiVersion: 'v1', rest: { spec: { ports: [{ port: 80 }], selector: { app: 'x' } } } },
  ServiceAccount: { apiVersion: 'v1', rest: {} },
  Role: { apiVersion: 'rbac.authorization.k8s.io/v1', rest: { rules: [] } },
  Ingress: {
    apiVersion: 'networking.k8s.io/v1',
    rest: { spec: { defaultBackend: { service: { name: 'x', port: { number: 80 } } } } },
  },
} as const
type Kind = keyof typeof kinds

/** An item: kinds of its objects, and whether a barrier follows. */
const shape = fc.array(
  fc.record({
    kinds: fc.uniqueArray(fc.constantFrom(...(Object.keys(kinds) as Kind[])), { minLength: 1, maxLength: 3 }),
    barrier: fc.boolean(),
  }),
  { minLength: 2, maxLength: 4 },
)
type Shape = readonly { readonly kinds: readonly Kind[]; readonly barrier: boolean }[]

function filesOf(items: Shape, namespace: string, discriminator: string): Record<string, string> {
  const entries = items.flatMap((item, index) => [`- path: i${index}`, ...(item.barrier ? ['- barrier: true'] : [])])
  const objects = items.flatMap((item, index) =>
    item.kinds.map(kind => {
      const { apiVersion, rest } = kinds[kind]
      const metadata = { name: `${discriminator}-${index}`, namespace }
      return [`i${index}/${kind}.yaml`, JSON.stringify({ apiVersion, kind, metadata, ...rest })]
    }),
  )
  return {
    '.kluctl.yaml': `discriminator: ${discriminator}\n`,
    'deployment.yaml': `deployments:\n${entries.join('\n')}\n`,
    ...(Object.fromEntries(objects) as Record<string, string>),
  }
}

/** Every object of the target as `Kind/name@resourceVersion`, sorted. */
async function existing(namespace: string, discriminator: string): Promise<string[]> {
  const labelSelector = `kluctl.io/discriminator=${discriminator}`
  const lists = Object.entries(kinds).map(async ([kind, { apiVersion }]) => {
    const { items } = await cluster.list({ apiVersion, kind }, { namespace, labelSelector })
    return items.map(({ metadata }) => `${kind}/${metadata.name}@${metadata.resourceVersion}`)
  })
  return (await Promise.all(lists)).flat().toSorted()
}

async function run(files: Record<string, string>, ...command: string[]): Promise<string> {
  await using project = await TestProject.of(files)
  const store = command[0] === 'diff' ? [] : ['--yes', '--write-command-result=false']
  const { code, stdout, stderr } = await project.run([...command, ...store, '--kubeconfig', adminKubeconfig()])
  expect(code, `${command.join(' ')}: ${stdout}${stderr}`).toBe(0)
  return stdout
}

it('a deployment is idempotent, and takes away its own and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(shape, shape, async (items, others) => {
      const namespace = await uniqueNamespace('laws')
      const [mine, theirs] = [filesOf(items, namespace, 'mine'), filesOf(others, namespace, 'theirs')]
      await Promise.all([run(mine, 'deploy'), run(theirs, 'deploy')])
      const [before, others0] = [await existing(namespace, 'mine'), await existing(namespace, 'theirs')]
      expect(before).toHaveLength(items.flatMap(item => item.kinds).length)

      // What was deployed shows no difference, and is not written again.
      expect(await run(mine, 'diff')).toBe('')
      expect(await run(mine, 'deploy')).toBe('')
      expect(await existing(namespace, 'mine')).toEqual(before)

      // Pruning takes what is no more in the project; the rest stays untouched.
      const fewer = items.slice(0, -1)
      await run(filesOf(fewer, namespace, 'mine'), 'prune')
      expect(await existing(namespace, 'mine')).toEqual(
        before.filter(one => !one.includes(`mine-${items.length - 1}@`)),
      )
      expect(await existing(namespace, 'theirs')).toEqual(others0)

      // Deleting leaves nothing of it, and all of the other.
      await run(mine, 'delete')
      expect(await existing(namespace, 'mine')).toEqual([])
      expect(await existing(namespace, 'theirs')).toEqual(others0)
    }),
    { numRuns: 2 },
  )
})
