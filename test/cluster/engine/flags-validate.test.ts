// Flags of validate: each with it and without it.
import { afterAll, expect, it } from 'vitest'
import { systemClock } from '../../../src/util/clock.ts'
import { TestProject } from '../../engine/harness/project.ts'
import { adminClient, createServiceAccount, serviceAccountKubeconfigFile } from '../../harness/cluster.ts'
import { CustomKinds } from '../../harness/engine/custom-kind.ts'
import { deployProject } from '../../harness/engine/deployer.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

const kinds = new CustomKinds(adminClient())

afterAll(async () => {
  await kinds.dispose()
  await adminClient().close()
})

it('--wait is how long it is tried, and --sleep how long between two attempts', async () => {
  await using story = await TargetStory.of('attempts')
  await story.item('late')
  const key = { apiVersion: 'v1', kind: 'ConfigMap', name: 'late', namespace: story.namespace }
  /** Time goes by only as it is slept; the object comes with the sleep of that number. */
  const validate = async (comes: number, ...flags: string[]) => {
    await adminClient().delete(key)
    const slept: number[] = []
    const clock = {
      now: () => slept.reduce((sum, each) => sum + each, Date.UTC(2026, 0)),
      sleep: async (milliseconds: number, signal?: AbortSignal) => {
        slept.push(milliseconds)
        if (slept.length === comes) {
          const { apiVersion, kind, ...metadata } = key
          await adminClient().create({ apiVersion, kind, metadata })
        }
        await systemClock.sleep(0, signal)
      },
    }
    const { code, stdout } = await story.run(['validate', ...flags], {}, undefined, { clock })
    return { code, slept, errors: stdout.match(/object not found/g)?.length ?? 0 }
  }
  expect(await validate(1)).toEqual({ code: 1, slept: [], errors: 1 })
  expect(await validate(2, '--wait=1h')).toEqual({ code: 0, slept: [5000, 5000], errors: 2 })
  expect(await validate(2, '--wait=1h', '--sleep=7s')).toEqual({ code: 0, slept: [7000, 7000], errors: 2 })
  expect(await validate(9, '--wait=20s', '--sleep=7s')).toEqual({ code: 1, slept: [7000, 7000, 6000], errors: 4 })
  expect(await validate(1, '--wait=3s')).toEqual({ code: 0, slept: [3000], errors: 1 })
})

it('--warnings-as-errors: what is only warned of is not valid', async () => {
  await using story = await TargetStory.of('warnings')
  const { crd, object } = kinds.make(story.namespace)
  await using crds = await TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/crd.yaml': JSON.stringify(crd),
  })
  expect((await deployProject(crds, { kube: adminClient() })).errors).toEqual([])
  await story.write({ 't/table.yaml': JSON.stringify(object) }, '- path: t\n')
  await story.must('deploy')
  // Who may not read CRDs cannot tell whether the object is to have a status.
  await createServiceAccount(story.namespace, 'validator', [
    { apiGroups: [crd.spec.group], resources: ['tables'], verbs: ['get', 'list'] },
  ])
  const kubeconfig = await serviceAccountKubeconfigFile(story.namespace, 'validator')
  const validate = (...flags: string[]) => story.run(['validate', '--kubeconfig', kubeconfig, ...flags])
  const lenient = await validate()
  expect(lenient.stdout).toContain('unable to determine if a status is expected')
  expect(lenient.code, lenient.stderr).toBe(0)
  const strict = await validate('--warnings-as-errors')
  expect(strict.stdout).toBe(lenient.stdout)
  expect(strict.code).toBe(1)
  expect(strict.stderr).toContain('Validation failed')
})
