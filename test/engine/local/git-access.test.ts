import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type GitCredentialFlags, gitCredentials } from '../../../src/engine/local/credentials.ts'
import { RememberedRefs } from '../../../src/engine/local/remembered-refs.ts'
import { systemClock } from '../../../src/util/clock.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'offshoot-home-'))
})

afterEach(async () => {
  await rm(home, { recursive: true })
})

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), content)
  }
}

const opener = (flags: GitCredentialFlags = {}, environment: Record<string, string> = {}) =>
  gitCredentials(flags, { HOME: home, ...environment })

test('what the store helper keeps opens a host over HTTPS, after flags and variables', async () => {
  await write({
    '.git-credentials': 'https://ann:p%40ss@git.example.com\nhttps://bob:other@git.example.com\n',
    '.config/git/credentials': 'https://cid:third@more.example.com\n',
  })
  const open = opener()
  expect(await open('https://git.example.com/o/r')).toEqual({ username: 'ann', password: 'p@ss' })
  expect(await open('https://bob@git.example.com/o/r')).toEqual({ username: 'bob', password: 'other' })
  expect(await open('https://more.example.com/o/r')).toEqual({ username: 'cid', password: 'third' })
  expect(await open('https://git.example.com:8443/o/r')).toBeUndefined()
  expect(await open('http://git.example.com/o/r')).toBeUndefined()
  const flags = { gitUsername: ['git.example.com/o/*=eve'], gitPassword: ['git.example.com/o/*=x'] }
  expect(await opener(flags)('https://git.example.com/o/r.git')).toEqual({ username: 'eve', password: 'x' })
  const set = { KLUCTL_GIT_2_HOST: 'git.example.com', KLUCTL_GIT_2_PASSWORD: 'two' }
  const sets = { ...set, OFFSHOOT_GIT_HOST: 'git.example.com', OFFSHOOT_GIT_PASSWORD: 'first' }
  expect(await opener({}, set)('https://git.example.com/o/r')).toEqual({ password: 'two' })
  expect(await opener({}, sets)('https://git.example.com/o/r')).toEqual({ password: 'first' })
})

test('an authority of its own, by flag and by variable, with and without a login', async () => {
  await write({ 'ca.pem': 'PEM' })
  const flags = { gitCaFile: [`git.example.com=${join(home, 'ca.pem')}`] }
  expect(await opener(flags)('https://git.example.com/o/r')).toEqual({ ca: 'PEM' })
  const set = { KLUCTL_GIT_HOST: 'git.example.com', KLUCTL_GIT_PASSWORD: 'x', KLUCTL_GIT_CA_BUNDLE: '~/ca.pem' }
  expect(await opener({}, set)('https://git.example.com/o/r')).toEqual({ password: 'x', ca: 'PEM' })
})

test('over SSH the agent and all standard keys; a key that is named is the only one', async () => {
  await write({ '.ssh/id_rsa': 'RSA', '.ssh/id_ed25519': 'ED', '.ssh/known_hosts': 'hosts', 'own/key': 'OWN' })
  const open = opener({}, { SSH_AUTH_SOCK: '/agent' })
  expect(await open('git@git.example.com:o/r')).toEqual({
    identity: 'RSA',
    otherIdentities: ['ED'],
    agent: '/agent',
    knownHosts: 'hosts',
  })
  const named = opener({ gitSshKeyFile: ['*=~/own/key'] }, { SSH_AUTH_SOCK: '/agent' })
  expect(await named('git@git.example.com:o/r')).toEqual({ identity: 'OWN', knownHosts: 'hosts' })
  expect(await named('https://git.example.com/o/r')).toBeUndefined()
})

test('any host is believed only where a variable says so', async () => {
  const open = (environment: Record<string, string>) => opener({}, environment)('git@git.example.com:o/r')
  expect(await open({ KLUCTL_SSH_DISABLE_STRICT_HOST_KEY_CHECKING: 'true' })).toEqual({ anyHost: true })
  expect(await open({ OFFSHOOT_SSH_DISABLE_STRICT_HOST_KEY_CHECKING: 'no' })).toEqual({})
})

test('refs are asked for once in a run, and between runs after the interval', async () => {
  let asked = 0
  let now = 1_000_000
  const clock = { ...systemClock, now: () => now }
  const ask = () =>
    Promise.resolve({ refs: new Map([['refs/heads/main', String(++asked)]]), defaultRef: 'refs/heads/main' })
  const run = (freshFor: number) => new RememberedRefs({ folder: join(home, 'refs'), freshFor, clock })
  const seen = async (refs: RememberedRefs) => (await refs.of('url', ask)).refs.get('refs/heads/main')
  const never = run(0)
  expect([await seen(never), await seen(never), await seen(run(0))]).toEqual(['1', '1', '2'])
  expect([await seen(run(60_000)), await seen(run(60_000))]).toEqual(['3', '3'])
  now += 60_001
  expect(await seen(run(60_000))).toBe('4')
})
