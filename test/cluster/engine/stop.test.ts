import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { adminClient, adminKubeconfig, waitFor } from '../../harness/cluster.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'

afterAll(() => adminClient().close())

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

/** Starts `deploy` as a process of its own; ends it, if nothing else does, with the test. */
function startDeploy(story: TargetStory, ...flags: string[]) {
  const where = ['--project-dir', story.project.folder, '--kubeconfig', adminKubeconfig()]
  const args = [main, ...where, 'deploy', '--write-command-result=false', ...flags]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, said, ended, [Symbol.dispose]: () => child.kill('SIGKILL') }
}

const notReady = { 'kluctl.io/is-ready': 'false', 'kluctl.io/wait-readiness': 'true' }

it('Ctrl-C begins nothing new, and tells what was done', async () => {
  await using story = await TargetStory.of('stop')
  await story.item('a', {}, { annotations: notReady })
  await story.write({ 'later/map.yaml': '' }, '- barrier: true\n- path: later\n')
  using deploy = startDeploy(story, '--yes')
  await waitFor(async () => (await story.maps()).includes('a'), { describe: () => deploy.said.stderr })
  deploy.child.kill('SIGINT')
  expect(await deploy.ended).toBe(130)
  expect(deploy.said.stdout).toContain(`New objects:\n  ${story.namespace}/ConfigMap/a\n`)
  expect(deploy.said.stdout).toContain(
    `context cancelled while waiting for readiness of ${story.namespace}/ConfigMap/a`,
  )
})

it('Ctrl-C at the question changes nothing', async () => {
  await using story = await TargetStory.of('stop-asked')
  await story.item('a')
  using deploy = startDeploy(story)
  await waitFor(() => deploy.said.stderr.includes('do you want to proceed? (y/N)'), {
    describe: () => deploy.said.stderr,
  })
  deploy.child.kill('SIGINT')
  expect(await deploy.ended).toBe(130)
  expect(await story.maps()).toEqual([])
})

it('the end of --timeout does the same, and is a failure', async () => {
  await using story = await TargetStory.of('timeout')
  await story.item('a', {}, { annotations: notReady })
  using deploy = startDeploy(story, '--yes', '--timeout=3s')
  expect(await deploy.ended).toBe(1)
  expect(deploy.said.stderr).toContain('not done within 3 s (--timeout): context deadline exceeded')
})
