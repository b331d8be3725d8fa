import { execFile } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { kubectlBinary } from '../binaries.ts'
import { type ContractWorld, freshNamespace } from './world.ts'

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {a: "1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1"}]}
`

/** What the real kubectl does, against every API server. */
export function kubectlContract(world: ContractWorld): void {
  describe('kubectl', () => {
    let program = ''
    let namespace = ''
    beforeAll(async () => {
      program = await kubectlBinary()
      namespace = await freshNamespace(world)
    }, 120_000)

    function kubectl(args: string[], input = ''): Promise<Outcome> {
      const all = ['--kubeconfig', world.kubeconfig(), '-n', namespace, ...args]
      return new Promise(resolve => {
        const child = execFile(program, all, { timeout: 60_000 }, (error, stdout, stderr) => {
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr })
        })
        child.stdin?.end(input)
      })
    }
    async function done(args: string[], input?: string): Promise<string> {
      const outcome = await kubectl(args, input)
      expect([args.join(' '), outcome.code, outcome.stderr.replace(/^Warning:.*$/gm, '').trim()]).toEqual([
        args.join(' '),
        0,
        '',
      ])
      return outcome.stdout
    }

    it('applies, reads, describes, patches, waits for and deletes', async () => {
      expect(await done(['apply', '--server-side', '-f', '-'], manifest)).toMatch(
        /configmap\/config serverside-applied/,
      )
      expect(await done(['apply', '--server-side', '-f', '-'], manifest)).toMatch(
        /deployment.apps\/web serverside-applied/,
      )
      expect(await done(['get', 'configmap,deployment'])).toMatch(
        /configmap\/config +1 +\d+s[\s\S]*deployment.apps\/web +0\/0/,
      )
      expect(await done(['get', 'cm', 'config', '-o', 'jsonpath={.data.a}'])).toBe('1')
      expect(await done(['describe', 'deployment', 'web'])).toMatch(/Selector: +app=web/)
      expect(await done(['patch', 'cm', 'config', '-p', '{"data":{"b":"2"}}'])).toMatch(/patched/)
      expect(
        await done([
          'patch',
          'deployment',
          'web',
          '--type=json',
          '-p',
          '[{"op":"add","path":"/spec/paused","value":true}]',
        ]),
      ).toMatch(/patched/)
      expect(await done(['label', 'cm', 'config', 'x=y'])).toMatch(/labeled/)
      expect(await done(['get', 'cm', '-l', 'x=y', '-o', 'name'])).toBe('configmap/config\n')
      expect(await done(['wait', '--for=jsonpath={.data.b}=2', 'cm/config', '--timeout=20s'])).toMatch(/condition met/)
      expect(await done(['delete', 'deployment/web', 'cm/config', '--wait', '--timeout=30s'])).toMatch(/deleted/)
      expect((await kubectl(['get', 'cm', 'config'])).stderr).toMatch(/NotFound/)
    })

    it('says what is wrong with a manifest', async () => {
      const { code, stderr } = await kubectl(
        ['apply', '--server-side', '-f', '-'],
        manifest.replace('\ndata:', '\ndta:'),
      )
      expect([code, stderr]).toEqual([1, expect.stringMatching(/dta/)])
    })

    it('shows the conflict of two managers', async () => {
      await done(['apply', '--server-side', '--field-manager=one', '-f', '-'], manifest)
      const { code, stderr } = await kubectl(
        ['apply', '--server-side', '--field-manager=two', '-f', '-'],
        manifest.replace('"1"', '"2"'),
      )
      expect(code).toBe(1)
      expect(stderr).toMatch(/conflict with "one": \.data\.a/)
      await done(
        ['apply', '--server-side', '--field-manager=two', '--force-conflicts', '-f', '-'],
        manifest.replace('"1"', '"2"'),
      )
    })

    it('is told that a pod is missing when it asks for logs', async () => {
      expect((await kubectl(['logs', 'missing'])).stderr).toMatch(/pods "missing" not found/)
    })

    it('knows the kinds by name and short name', async () => {
      const kinds = await done(['api-resources', '-o', 'wide'])
      expect(kinds).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/)
      expect(await done(['explain', 'deployment.spec.replicas'])).toMatch(/FIELD: replicas <integer>/)
    })
  })
}
