import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { printable } from '../../src/cli/io.ts'
import { run } from '../../src/cli/program.ts'
import { recordingIo } from '../harness/installation.ts'

async function offshoot(args: string[], input = '') {
  const { io, written } = recordingIo({}, undefined, input)
  return { code: await run(args, io), ...written }
}

describe('usage', () => {
  it.each([
    [['--nonsense'], /unknown option '--nonsense'/],
    [['env', 'list', '--nonsense'], /unknown option '--nonsense'/],
    [['env', 'lits'], /unknown command 'lits'[\s\S]*Did you mean list/],
    [['env', 'show'], /missing required argument 'name'/],
    [['env', 'show', 'a', 'b'], /too many arguments/],
    [['env', 'list', '-o', 'xml'], /Allowed choices are table, json, yaml/],
    [['env', 'wait', 'a', '--for', 'money'], /Allowed choices are ready, gone/],
    [['env', 'wait', 'a', '--timeout', 'soon'], /--timeout: expected a duration such as 90s/],
    [['env', 'create', '-p', 'x'], /expected exactly one of them/],
    [['env', 'create', '-p', 'x', '-b', 'y', '--pull-request', '1'], /expected exactly one of them/],
    [['env', 'create', '-p', 'x', '--pull-request', '1e3'], /--pull-request: expected the number/],
    [['env', 'create', '-p', 'x', '-b', 'refs/heads/y'], /without refs\/heads/],
    [['env', 'create', '-p', 'x', '-b', 'my branch'], /--branch: expected a name that a branch can have/],
    [['install', '--controller-namespace', 'Big'], /--controller-namespace: expected a Kubernetes name/],
    [
      ['install', '--project-namespace', 'offshoot-system'],
      /--project-namespace: expected another .* act as the controller/,
    ],
    [['install', '--project-namespace', 'kube-system'], /--project-namespace: expected another/],
    [
      ['serve', '--workers', '0', '--listen', 'x'],
      /--listen \(OFFSHOOT_LISTEN\): expected host:port[\s\S]*--workers \(OFFSHOOT_WORKERS\)/,
    ],
  ])('%j ends with exit code 2 and says why', async (args, message) => {
    const { code, stderr, stdout } = await offshoot(args)
    expect(stderr).toMatch(message)
    expect([code, stdout]).toEqual([2, ''])
  })

  it('prints help on standard output, with exit code 0 and the exit codes in it', async () => {
    const { code, stdout } = await offshoot(['--help'])
    expect(code).toBe(0)
    for (const word of ['env', 'project', 'install', 'serve', 'Exit codes: 0 done']) expect(stdout).toContain(word)
  })

  it('names a kubeconfig that is not there', async () => {
    const { code, stderr } = await offshoot(['env', 'list', '--kubeconfig', '/nowhere/config'])
    expect(code).toBe(1)
    expect(stderr).toContain('cannot load the kubeconfig /nowhere/config')
  })

  it('tells its version in every format', async () => {
    expect((await offshoot(['version'])).stdout).toMatch(/^offshoot \d+\.\d+\.\d+ \(offshoot\.dev\/v1alpha1/)
    expect(JSON.parse((await offshoot(['version', '-o', 'json'])).stdout)).toHaveProperty('version')
  })
})

describe('completion', () => {
  it.each([
    [
      'offshoot ',
      'env project render diff deploy prune delete validate poke-images list-targets list-images helm-pull helm-update oci github install serve version completion --help',
    ],
    ['offshoot env c', 'create'],
    ['offshoot oci ', 'push --help'],
    ['offshoot oci push --annot', '--annotation'],
    ['offshoot env wait --f', '--for'],
    ['offshoot env wait x --for ready --time', '--timeout'],
  ])('completes %j', async (line, words) => {
    const { stdout } = await offshoot(['completion', 'bash'])
    const typed = line.split(' ')
    const script = `${stdout}
COMP_WORDS=(${typed.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${typed.length - 1}; _offshoot; echo "\${COMPREPLY[*]}"`
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(`${words}\n`)
  })
})

describe('install', () => {
  it('prints what kubectl could apply', async () => {
    const { code, stdout } = await offshoot(['install', '--project-namespace', 'a', '--project-namespace', 'b'])
    expect(code).toBe(0)
    const kinds = parseAllDocuments(stdout).map(document => document.get('kind'))
    expect(kinds.filter(kind => kind === 'CustomResourceDefinition')).toHaveLength(2)
    expect(stdout).not.toContain('namespace: offshoot\n')
    const json = JSON.parse((await offshoot(['install', '-o', 'json', '--no-crds'])).stdout) as { items: unknown[] }
    expect(json.items.length).toBeGreaterThan(10)
  })
})

describe('project check', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offshoot-cli-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const broken = `apiVersion: offshoot.dev/v1alpha1
kind: ReviewProject
metadata: {name: shop}
spec:
  source:
    url: https://github.com/acme/shop.git
    forge: {type: gitbub}
    intervall: 5m
  deploy:
    objects: {manifests: [{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}]}
`

  it('reports every mistake with file, line, column, path and expectation, with exit code 2', async () => {
    const file = join(folder, 'broken.yaml')
    await writeFile(file, broken)
    const { code, stderr, stdout } = await offshoot(['project', 'check', file])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`${file}:7:13: spec.source.forge.type: expected`)
    expect(stderr).toMatch(new RegExp(`${file}:8:5: spec.source.*intervall`))
    expect(stderr).toContain('error: 2 mistakes found')
  })

  it('gives the same as data', async () => {
    const { code, stdout } = await offshoot(['project', 'check', '-', '-o', 'json'], broken)
    expect(code).toBe(2)
    const { problems } = JSON.parse(stdout) as { problems: { line: number; file: string }[] }
    expect(problems.map(({ file, line }) => [file, line])).toEqual([
      ['standard input', 7],
      ['standard input', 8],
    ])
  })

  it('accepts what is right', async () => {
    const right = broken.replace('gitbub', 'github').replace('    intervall: 5m\n', '')
    const { code, stdout } = await offshoot(['project', 'check', '-'], right)
    expect([code, stdout]).toEqual([0, 'standard input: ReviewProject shop is valid\n'])
  })

  it('names a file that is not there', async () => {
    const { code, stderr } = await offshoot(['project', 'check', join(folder, 'none.yaml')])
    expect(code).toBe(2)
    expect(stderr).toContain('none.yaml: no such file')
  })
})

describe('what a terminal is given', () => {
  it('holds no control characters and no reversal of the reading direction', () => {
    expect(printable('a\x1b[31mb\r\nc\u202ed\u2066e')).toBe('a�[31mb��c�d�e')
    expect(printable('Größe 🚀 #42')).toBe('Größe 🚀 #42')
  })
})
