import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type GitScene, gitScene, kindOf, localRepository } from './harness.ts'

let at: GitScene
let path: string | undefined
const credential = { identity: 'the private key', knownHosts: 'git.example.com ssh-ed25519 AAAA' }

/** An `ssh` that writes down how it was called, and then runs what the other end would run. */
const script = (bin: string) => `#!/bin/sh
printf '%s\\n' "$@" > ${bin}/arguments
for argument in "$@"; do
  case "$argument" in
    IdentityFile=*) cp "\${argument#*=}" ${bin}/identity; printf %s "\${argument#*=}" > ${bin}/identity-path ;;
    UserKnownHostsFile=*) cp "\${argument#*=}" ${bin}/known_hosts ;;
  esac
  command="$argument"
done
exec sh -c "$command"
`

beforeEach(async () => {
  at = await gitScene()
  const bin = join(at.folder, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'ssh'), script(bin), { mode: 0o755 })
  path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
})
afterEach(async () => {
  process.env.PATH = path
  await at[Symbol.asyncDispose]()
})

const commit = async (_: string, git: (...args: string[]) => Promise<string>) => {
  await git('commit', '-q', '--allow-empty', '-m', 'x')
}

test('a key opens a remote over SSH, asks nothing, believes only the known host, and is gone afterwards', async () => {
  const local = await localRepository(at.folder, commit)
  const remote = { url: `ssh://git@git.example.com:2222${local.path}`, credential }
  expect((await at.store.listBranches(remote)).branches.get('main')).toBe(local.sha)
  const bin = join(at.folder, 'bin')
  const args = (await readFile(join(bin, 'arguments'), 'utf8')).split('\n')
  for (const option of [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    '-F',
    '2222',
    'git@git.example.com',
  ]) {
    expect(args).toContain(option)
  }
  expect(await readFile(join(bin, 'identity'), 'utf8')).toBe('the private key\n')
  expect(await readFile(join(bin, 'known_hosts'), 'utf8')).toBe(`${credential.knownHosts}\n`)
  const identity = await readFile(join(bin, 'identity-path'), 'utf8')
  await expect(stat(identity)).rejects.toThrow('ENOENT')
  expect(await at.store.readFile(remote, local.sha, 'missing', 10)).toBeUndefined()
})

test('without a key or without known hosts, ssh is not started', async () => {
  const { identity, knownHosts } = credential
  for (const partial of [{}, { identity }, { knownHosts }]) {
    expect(await kindOf(at.store.listBranches({ url: 'git@git.example.com:x', credential: partial }))).toBe('invalid')
  }
  await expect(stat(join(at.folder, 'bin/arguments'))).rejects.toThrow('ENOENT')
})
