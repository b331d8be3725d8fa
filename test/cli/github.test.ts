import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installationApp } from '../../src/cli/github-app.ts'
import { run } from '../../src/cli/program.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import type { appManifest } from '../../src/forge/index.ts'
import { type FakeForge, startFakeForge } from '../harness/forge/forge.ts'
import type { Grants } from '../harness/forge/permissions.ts'
import { recordingIo } from '../harness/installation.ts'

async function offshoot(...args: string[]) {
  const { io, written } = recordingIo()
  return { code: await run(args, io), ...written }
}

let folder: string
let forge: FakeForge
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-github-'))
  forge = await startFakeForge()
})
afterAll(async () => {
  await forge.close()
  await rm(folder, { recursive: true, force: true })
})

/** What `offshoot github manifest` prints. */
async function manifest(...args: string[]) {
  const { stdout } = await offshoot('github', 'manifest', '--url', 'https://offshoot.example.com/', ...args)
  return JSON.parse(stdout) as ReturnType<typeof appManifest> & {
    default_permissions: Grants
    default_events: string[]
  }
}

/** Registers an App at the forge as GitHub does from a manifest; gives the flags that name it. */
async function register(slug: string, permissions: Grants, events: string[]): Promise<string[]> {
  const app = forge.apps.create(slug, { permissions, events })
  const file = join(folder, `${slug}.pem`)
  await writeFile(file, app.privateKey)
  return ['--app-id', String(app.id), '--private-key-file', file, '--api-url', forge.apiUrl]
}

describe('offshoot github manifest', () => {
  it('prints where GitHub delivers to, and nothing that is secret', async () => {
    expect(await manifest('--name', 'acme-previews')).toMatchObject({
      name: 'acme-previews',
      url: 'https://offshoot.example.com',
      hook_attributes: { url: 'https://offshoot.example.com/webhooks/github', active: true },
      public: false,
    })
    expect((await manifest('--public')).public).toBe(true)
  })

  it.each([
    [['--url', 'http://offshoot.example.com'], '--url: expected https'],
    [['--url', 'offshoot'], '--url: expected https'],
    [['--url', 'https://x', '--name', 'x'.repeat(35)], '--name: expected at most 34'],
    [[], "required option '--url <url>'"],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await offshoot('github', 'manifest', ...args)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

describe('offshoot github check', () => {
  it('finds nothing missing in an App that was made from the manifest', async () => {
    const { default_permissions: permissions, default_events: events } = await manifest()
    const flags = await register('complete', permissions, events)
    expect(await offshoot('github', 'check', ...flags)).toMatchObject({ code: 0, stderr: '' })
  })

  it('names what is missing', async () => {
    const flags = await register('partial', { contents: 'read', metadata: 'read', pull_requests: 'read' }, ['push'])
    const { code, stdout } = await offshoot('github', 'check', ...flags)
    expect(code).toBe(1)
    expect(stdout.split('\n').filter(line => line.startsWith('missing: '))).toEqual([
      'missing: permission pull_requests: write (it has read)',
      'missing: permission statuses: write (it has none)',
      'missing: event pull_request',
    ])
  })

  it('says so when id and key do not belong together, and keeps the key to itself and off the open network', async () => {
    const [, , , file = ''] = await register('one', {}, [])
    const [, id = ''] = await register('two', {}, [])
    const flags = ['--app-id', id, '--private-key-file', file]
    const wrong = await offshoot('github', 'check', ...flags, '--api-url', forge.apiUrl)
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('401')
    const open = await offshoot('github', 'check', ...flags, '--api-url', 'http://github.example.com')
    expect(open.stderr).toContain('expected https')
    expect(`${wrong.stderr}${open.stderr}`).not.toContain('PRIVATE')
  })
})

describe('the App of offshoot serve', () => {
  const settings = (flags: Record<string, unknown>) => parseServeSettings(flags, {})

  it('is taken when it is whole', async () => {
    const [, id, , file] = await register('served', {}, [])
    const flags = { githubAppId: id, githubAppPrivateKeyFile: file, githubAppAllow: ['team-a=acme/*'] }
    expect(await installationApp(settings(flags))).toMatchObject({
      app: { id },
      apiUrl: 'https://api.github.com',
      grants: [{ namespace: 'team-a', owner: 'acme', repo: '*' }],
    })
    expect(await installationApp(settings({}))).toBeUndefined()
  })

  it('is refused at the start with everything that is wrong', async () => {
    const broken = join(folder, 'broken.pem')
    await writeFile(broken, 'hunter2')
    const problems = (flags: Record<string, unknown>) =>
      installationApp(settings(flags)).catch((it: unknown) => String(it))
    expect(await problems({ githubAppId: '1' })).toMatch(
      /private-key-file[\s\S]*--github-app-allow: expected who may use/,
    )
    expect(await problems({ githubAppPrivateKeyFile: join(folder, 'none') })).toMatch(
      /--github-app-id[\s\S]*cannot read/,
    )
    const unread = await problems({ githubAppId: '1', githubAppPrivateKeyFile: broken, githubAppAllow: ['*=*/*'] })
    expect(unread).toContain('expected an RSA key as PEM')
    expect(unread).not.toContain('hunter2')
    expect(() => settings({ githubAppAllow: ['acme'] })).toThrow('expected namespace=owner/repository')
    expect(() => settings({ webhookUrl: 'http://offshoot.example.com' })).toThrow('expected https://')
    expect(() => settings({ githubAppApiUrl: 'ftp://x' })).toThrow('expected https://')
  })
})

describe('where a replica says that it is', () => {
  it('is its pod’s address with the port of its webhooks, unless it is told another', () => {
    const address = (flags: Record<string, unknown>, env = {}) => parseServeSettings(flags, env).advertiseAddress
    expect(address({ listen: ':8443' }, { POD_IP: '10.0.0.7' })).toEqual({ host: '10.0.0.7', port: 8443 })
    expect(address({}, { POD_IP: 'fd00::7' })).toEqual({ host: 'fd00::7', port: 8080 })
    const told = { advertiseAddress: 'offshoot-0.offshoot:80' }
    expect(address(told, { POD_IP: '10.0.0.7' })).toEqual({ host: 'offshoot-0.offshoot', port: 80 })
    expect(address({}, { POD_IP: 'nonsense' })).toBeUndefined()
    expect(address({})).toBeUndefined()
  })
})
