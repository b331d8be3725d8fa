import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSops, withoutKeys } from '../../../src/engine/sops/index.ts'
import { testHost } from '../../harness/engine/host.ts'

const folder = join(import.meta.dirname, '../../fixtures/sops')
const fixture = (name: string) => readFile(join(folder, name))
const { signal } = new AbortController()
const one = { SOPS_AGE_KEY_FILE: join(folder, 'one.agekey') }

async function decrypt(name: string, environment: Record<string, string | undefined> = one, content?: Uint8Array) {
  return await createSops(testHost({ environment })).decrypt(content ?? (await fixture(name)), name, signal)
}

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('utf8')

/** The fixture with one change, which must have been possible. */
async function changed(name: string, from: string | RegExp, to: string): Promise<Uint8Array> {
  const before = text(await fixture(name))
  const after = before.replace(from, to)
  expect(after).not.toBe(before)
  return Buffer.from(after)
}

// The plain files beside the fixtures are what SOPS 3.11.0 itself makes of them.
test.each([
  'all.yaml',
  'all.json',
  'all.env',
  'all.ini',
  'regex.yaml',
  'unencrypted-regex.yaml',
  'mac-only.yaml',
  'suffix.yaml',
  'comment.yaml',
])('%s becomes, byte by byte, what SOPS makes of it', async name => {
  expect(text(await decrypt(name))).toBe(text(await fixture(`plain-${name}`)))
})

test('a binary file keeps its bytes', async () => {
  expect(Buffer.from((await decrypt('all.bin')) ?? [])).toEqual(await fixture('plain-all.bin'))
})

test('files that are not encrypted are left alone, whatever words they hold', async () => {
  for (const name of ['a.yaml', 'a.json', 'a.env', 'a.ini', 'a.txt']) {
    expect(await decrypt(name, one, Buffer.from('{{ sops }}: [\nsops ENC[AES256_GCM,'.slice(0, 12)))).toBeUndefined()
  }
  expect(await decrypt('a.yaml', one, Buffer.from('sops: {note: "ENC[AES256_GCM,"}'))).toBeUndefined()
  expect(await decrypt('a.txt', one, Buffer.from('sops ENC[AES256_GCM,'))).toBeUndefined()
})

test('age keys come from the variable, the named file and the own key file', async () => {
  const key = text(await fixture('one.agekey'))
  const home = await mkdtemp(join(tmpdir(), 'offshoot-sops-'))
  await (await import('node:fs/promises')).mkdir(join(home, 'sops/age'), { recursive: true })
  await writeFile(join(home, 'sops/age/keys.txt'), key)
  for (const environment of [{ SOPS_AGE_KEY: key }, one, { XDG_CONFIG_HOME: home }]) {
    expect(text(await decrypt('all.env', environment))).toContain('PASSWORD=s3=cret')
  }
  await rm(home, { recursive: true })
})

test('without the right key the error names every recipient and where keys were looked for', async () => {
  await expect(decrypt('all.yaml', {})).rejects.toThrow(
    /needs one of its recipients:\n- age age1lp9sy\w+: there is no age key in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE/,
  )
  const other = { SOPS_AGE_KEY_FILE: join(folder, 'two.agekey') }
  await expect(decrypt('all.yaml', other)).rejects.toThrow(/age1lp9sy\w+: none of the 1 age keys fits/)
  await expect(decrypt('all.yaml', { SOPS_AGE_KEY_FILE: '/nowhere' })).rejects.toThrow(
    'SOPS_AGE_KEY_FILE cannot be read',
  )
  const failure = await decrypt('all.yaml', { SOPS_AGE_KEY: 'AGE-SECRET-KEY-1BROKEN' }).catch(String)
  expect(failure).toContain('is not an age identity')
  expect(failure).not.toContain('BROKEN')
  const pgp = await decrypt('pgp.yaml', {}).catch(String)
  expect(pgp).toMatch(/- pgp [0-9A-F]{40}: there is no PGP key in SOPS_PGP_KEY and SOPS_PGP_KEY_FILE/)
})

test('exported PGP keys open files in process', async () => {
  const plain = text(await fixture('plain-all.yaml'))
  expect(text(await decrypt('pgp.yaml', { SOPS_PGP_KEY_FILE: join(folder, 'pgp.asc') }))).toBe(plain)
  expect(text(await decrypt('pgp.yaml', { SOPS_PGP_KEY: text(await fixture('pgp.asc')) }))).toBe(plain)
})

test('where a file has several key groups, enough of them open it and fewer do not', async () => {
  const both = ['one.agekey', 'two.agekey'].map(fixture)
  const key = (await Promise.all(both)).map(text).join('\n')
  const pgp = { SOPS_PGP_KEY_FILE: join(folder, 'pgp.asc') }
  const plain = text(await fixture('plain-all.yaml'))
  expect(text(await decrypt('groups.yaml', { SOPS_AGE_KEY: key }))).toBe(plain)
  expect(text(await decrypt('groups.yaml', { ...one, ...pgp }))).toBe(plain)
  await expect(decrypt('groups.yaml', one)).rejects.toThrow('2 of its 3 key groups')
})

test('a value that was changed, moved, left out or put in plainly is noticed', async () => {
  const value = /(password: )ENC\[.*\]/
  const [encrypted = ''] = value.exec(text(await fixture('all.yaml'))) ?? []
  const other = encrypted.replace('password', 'port')
  await expect(decrypt('all.yaml', one, await changed('all.yaml', /port: ENC\[.*\]/, other))).rejects.toThrow(
    'cannot decrypt app.port: the value was changed or moved after it was encrypted',
  )
  await expect(decrypt('all.yaml', one, await changed('all.yaml', value, '$1open'))).rejects.toThrow(
    'cannot decrypt app.password: the value is not encrypted, though the rules of the file say so',
  )
  await expect(decrypt('all.yaml', one, await changed('all.yaml', /\n +password: .*/, ''))).rejects.toThrow(
    'MAC does not fit',
  )
  await expect(decrypt('regex.yaml', one, await changed('regex.yaml', 'name: app', 'name: evil'))).rejects.toThrow(
    'MAC does not fit: the file was changed after it was encrypted',
  )
  await expect(decrypt('all.env', one, await changed('all.env', /sops_mac=.*/, 'sops_mac='))).rejects.toThrow('MAC')
})

test('with mac_only_encrypted plain values may change, and a MAC can be ignored on demand', async () => {
  const renamed = await changed('mac-only.yaml', 'name: app', 'name: templated')
  expect(text(await decrypt('mac-only.yaml', one, renamed))).toContain('name: templated')
  const free = { ...one, OFFSHOOT_SOPS_IGNORE_MAC: 'true' }
  expect(text(await decrypt('regex.yaml', free, await changed('regex.yaml', 'name: app', 'name: x')))).toContain(
    's3cret',
  )
})

test('errors never hold what was decrypted', async () => {
  const broken = await changed('all.yaml', /(ratio: ENC\[AES256_GCM,data:)..../, '$1AAAA')
  const failure = await decrypt('all.yaml', one, broken).catch(String)
  expect(failure).toContain('cannot decrypt app.ratio')
  expect(failure).not.toMatch(/s3cret|5432/)
})

test('damaged metadata is named', async () => {
  const broken = await changed('all.yaml', /lastmodified: .*/, 'lastmodified: 1')
  await expect(decrypt('all.yaml', one, broken)).rejects.toThrow('the SOPS metadata cannot be read: sops.lastmodified')
  const unclosed = await changed('all.yaml', 'app:', 'app: [')
  await expect(decrypt('all.yaml', one, unclosed)).rejects.toThrow('the file cannot be read')
})

test('a run without keys says so', async () => {
  await expect(withoutKeys.decrypt(await fixture('all.yaml'), 'all.yaml', signal)).rejects.toThrow(
    'this run has no keys',
  )
  expect(await withoutKeys.decrypt(Buffer.from('a: 1'), 'a.yaml', signal)).toBeUndefined()
})

test('a command may print the age key; one that fails says so', async () => {
  const command = `cat '${join(folder, 'one.agekey')}'`
  expect(text(await decrypt('all.env', { PATH: process.env.PATH, SOPS_AGE_KEY_CMD: command }))).toContain('s3=cret')
  const failing = { PATH: process.env.PATH, SOPS_AGE_KEY_CMD: 'echo no agent >&2; exit 3' }
  await expect(decrypt('all.env', failing)).rejects.toThrow('SOPS_AGE_KEY_CMD failed: no agent')
})

test("without a key of ours the user's own sops is asked; what it says is said too", async () => {
  const bin = await mkdtemp(join(tmpdir(), 'offshoot-sops-bin-'))
  try {
    const script = (lines: string) => writeFile(join(bin, 'sops'), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
    const environment = { PATH: `${bin}:/usr/bin:/bin`, SSH_AUTH_SOCK: '/agent' }
    await script('echo "args: $1 $2 $3, agent: $SSH_AUTH_SOCK"; for last; do :; done; grep -c "^sops" "$last"')
    expect(text(await decrypt('all.yaml', environment))).toBe(
      'args: --decrypt --input-type=yaml --output-type=yaml, agent: /agent\n1\n',
    )
    await script('echo "Failed to get the data key" >&2; exit 128')
    await expect(decrypt('all.yaml', environment)).rejects.toThrow(
      /there is no key for it[\s\S]*sops: Failed to get the data/,
    )
  } finally {
    await rm(bin, { recursive: true })
  }
})
