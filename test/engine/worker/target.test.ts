import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../../src/engine/values.ts'
import { loadUntrustedTarget, type WorkerLimits } from '../../../src/engine/worker/index.ts'
import { serve } from '../../harness/engine/http-server.ts'
import { remains, useOwnTempFolder } from '../../harness/engine/untrusted.ts'

// Every load starts a process, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

useOwnTempFolder()
const folders: string[] = []

async function repository(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'offshoot-untrusted-'))
  folders.push(root)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

function load(
  root: string,
  options: { target?: string; args?: JsonObject; limits?: Partial<WorkerLimits>; signal?: AbortSignal } = {},
) {
  const { args = {}, signal = new AbortController().signal, ...rest } = options
  return loadUntrustedTarget({ root, project: 'deploy', target: 'preview', args, ...rest }, signal)
}

const kluctlYaml = `targets:
  - name: preview
    discriminator: "{{ target.name }}-{{ args.environment }}-{{ args.nested.depth }}"
  - name: prod
    context: there
discriminator: "all-{{ args.environment }}"
args:
  - name: environment
  - name: nested
    default: {depth: 1}
`

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(folders.splice(0).map(folder => rm(folder, { recursive: true, force: true })))
  expect(await remains()).toEqual([])
})

test('tells the discriminator of a target, by the arguments as they are', async () => {
  const root = await repository({ 'deploy/.kluctl.yaml': kluctlYaml })
  expect(await load(root, { args: { environment: 'a: b', nested: { depth: 7 } } })).toEqual({
    name: 'preview',
    discriminator: 'preview-a: b-7',
    context: '',
    file: 'deploy/.kluctl.yaml',
    declared: ['environment', 'nested'],
  })
  const prod = await load(root, { target: 'prod', args: { environment: 'x' } })
  expect(prod).toMatchObject({ discriminator: 'all-x', context: 'there' })
})

test('looks at nothing else: neither the deployment nor what it includes from elsewhere', async () => {
  await using server = await serve(() => '')
  const root = await repository({
    'deploy/.kluctl.yaml': kluctlYaml,
    'deploy/deployment.yaml': `deployments: [{git: {url: "${server.url}/evil.git"}}, {oci: {url: "oci://127.0.0.1:1/x"}}]\nvars: [{http: {url: "${server.url}"}}]\nx: {{ 1 / 0 }}\n`,
  })
  expect(await load(root, { args: { environment: 'x' } })).toMatchObject({ discriminator: 'preview-x-1' })
  expect(server.received).toEqual([])
})

test('names file, line and what was expected', async () => {
  const typo = await repository({ 'deploy/.kluctl.yaml': 'targets:\n  - nam: preview\n    argz: {}\n' })
  await expect(load(typo)).rejects.toThrow(
    /^deploy\/\.kluctl\.yaml:2:\d+: targets\[0\]\.nam: .*unknown field[\s\S]*\ndeploy\/\.kluctl\.yaml:3:\d+: targets\[0\]\.argz: /,
  )
  const broken = await repository({ 'deploy/.kluctl.yaml': 'targets:\n  - name: "preview\n' })
  await expect(load(broken)).rejects.toThrow(/^deploy\/\.kluctl\.yaml:\d+: /)
  const unknown = await repository({ 'deploy/.kluctl.yaml': kluctlYaml })
  await expect(load(unknown, { target: 'previw', args: { environment: 'x' } })).rejects.toThrow(
    /^target previw not existent in kluctl project config \(known are preview, prod\)$/,
  )
  const wanting = await repository({
    'deploy/.kluctl.yaml': 'targets:\n  - name: other\n  - name: preview\nargs: [{name: one}, {name: two}]\n',
  })
  await expect(load(wanting)).rejects.toThrow(
    'deploy/.kluctl.yaml:3: target preview: required arguments one, two not set',
  )
  const undefinedVariable = await repository({
    'deploy/.kluctl.yaml': 'targets:\n  - name: preview\n    discriminator: "{{ args.enviroment }}"\n',
  })
  await expect(load(undefinedVariable, { args: { environment: 'x' } })).rejects.toThrow(
    /^deploy\/\.kluctl\.yaml:2: target preview: [\s\S]*enviroment/,
  )
})

test('a template that never ends, or eats memory, ends at its bound', async () => {
  const endless = await repository({
    'deploy/.kluctl.yaml':
      'targets:\n  - name: preview\n    discriminator: "{% for a in range(99999999) %}{% for b in range(99999999) %}{% endfor %}{% endfor %}"\n',
  })
  await expect(load(endless, { limits: { deadline: 5_000 } })).rejects.toThrow(/did not end within 5 s|BudgetError/)
  const hungry = await repository({
    'deploy/.kluctl.yaml': `targets:\n  - name: preview\n    discriminator: "{{ 'x' * 900000000 }}"\n`,
  })
  await expect(load(hungry)).rejects.toThrow(/BudgetError|MemoryError|MiB of memory/)
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (const [at, name] of Array.from('bcdefghij').entries()) {
    const before = 'abcdefghi'[at]
    bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`)
  }
  const aliases = await repository({ 'deploy/.kluctl.yaml': `${bomb.join('\n')}\ntargets: *j\n` })
  await expect(load(aliases)).rejects.toThrow()
})

test('no file, variable or link leads out of the checkout', async () => {
  vi.stubEnv('OFFSHOOT_TEST_SECRET', 's3cret')
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-secret-'))
  folders.push(folder)
  const secret = join(folder, 'secret.yaml')
  await writeFile(secret, 'targets: [{name: preview}]\ndiscriminator: s3cret\n')
  for (const text of [
    `{% include "${secret}" %}`,
    `{{ load_template("${secret}") }}`,
    `{{ load_base64("${secret}") }}`,
    '{% include "/proc/self/environ" %}',
    '{{ get_var("OFFSHOOT_TEST_SECRET", "none") }}{{ [].__class__.__base__ }}',
  ]) {
    const root = await repository({
      'deploy/.kluctl.yaml': `targets: [{name: preview, discriminator: '${text}'}]\n`,
    })
    const outcome = await load(root).then(JSON.stringify, (error: Error) => error.message)
    expect(outcome, text).not.toContain('s3cret')
  }
  const linked = await repository({ 'deploy/other.yaml': '' })
  await symlink(secret, join(linked, 'deploy/.kluctl.yaml'))
  await expect(load(linked)).rejects.toThrow('no links out of it and no devices: deploy/.kluctl.yaml')
})

test('ends when it is aborted', async () => {
  const root = await repository({ 'deploy/.kluctl.yaml': kluctlYaml })
  const abort = new AbortController()
  const loading = load(root, { signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(loading).rejects.toThrow('enough')
})
