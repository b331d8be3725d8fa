import { describe, expect, it } from 'vitest'
import { type ReviewProject, ReviewProjectSpec } from '../../src/api/index.ts'
import { mayUseApp, parseAppGrant } from '../../src/controller/app-grants.ts'
import { ForgeAccess } from '../../src/controller/forge-access.ts'
import type { ForgeOptions, Forges } from '../../src/forge/index.ts'
import { systemClock } from '../../src/util/clock.ts'

const app = { id: '1', privateKey: '-----BEGIN RSA PRIVATE KEY-----' }
const apiUrl = 'https://api.github.com'

function project(namespace: string, url: string, forge: Record<string, unknown> = {}): ReviewProject {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
  const source = { url, forge: { type: 'github', ...forge } }
  const spec = ReviewProjectSpec.parse({ source, deploy: { objects: { manifests: [manifest] } } })
  return { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewProject', metadata: { namespace, name: 'shop' }, spec }
}

const may = (grants: string[], subject: ReviewProject) =>
  mayUseApp({ app, apiUrl, grants: grants.map(parseAppGrant) }, subject)

describe('the installation’s App', () => {
  const shop = project('team-a', 'https://github.com/acme/shop.git')

  it.each([
    [['team-a=acme/shop'], true],
    [['team-a=Acme/*'], true],
    [['*=*/*'], true],
    [['team-b=acme/shop', 'team-a=acme/bank'], false],
    [['team-a=acme/sho'], false],
    [['team=acme/*'], false],
    [['team-a=acm/*'], false],
  ])('with %j may be used for acme/shop by team-a: %s', (grants, expected) => {
    expect(may(grants, shop)).toBe(expected)
  })

  it('is not sent to another GitHub, nor to whoever a project calls its API', () => {
    expect(may(['*=*/*'], project('team-a', 'https://github.example.com/acme/shop'))).toBe(false)
    expect(may(['*=*/*'], project('team-a', 'https://github.com/acme/shop', { apiUrl: 'https://evil.example' }))).toBe(
      false,
    )
    expect(may(['*=*/*'], project('team-a', 'https://github.com/acme/shop', { type: 'git' }))).toBe(false)
  })

  it.each([
    '',
    'team-a',
    'team-a=acme',
    'team-a=acme/shop/more',
    'Team=acme/*',
    'team-a=ac*/x',
    '=a/b',
    'a=b/c,d=e/f',
  ])('knows no grant %j', text => {
    expect(() => parseAppGrant(text)).toThrow('expected namespace=owner/repository')
  })
})

describe('the credential of a project', () => {
  const encode = (data: Record<string, string>) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const pem = '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n'

  async function credentialWith(data: Record<string, string> | undefined, grants: string[], type = 'github') {
    const seen: ForgeOptions[] = []
    const forges = { get: (options: ForgeOptions) => seen.push(options) } as unknown as Forges
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'forge' }, data: encode(data ?? {}) }
    const kube = { get: async () => secret } as never
    const installation = { app, apiUrl, grants: grants.map(parseAppGrant) }
    const secretRef = data === undefined ? {} : { secretRef: { name: 'forge' } }
    const access = new ForgeAccess(kube, forges, systemClock, installation)
    await access.of(project('team-a', 'https://github.com/acme/shop.git', { type, ...secretRef }))
    return seen[0]?.credential
  }

  it('is its own App, its own token, the installation’s App where granted, or none', async () => {
    const own = { appId: ' 12\n', privateKey: pem, installationId: '34\n' }
    const credential = { app: { id: '12', privateKey: pem.trim(), installationId: '34' } }
    expect(await credentialWith(own, ['*=*/*'])).toEqual(credential)
    expect(await credentialWith({ token: 'ghp_x\n', webhookSecret: 's' }, ['*=*/*'])).toEqual({ token: 'ghp_x' })
    expect(await credentialWith(undefined, ['team-a=acme/*'])).toEqual({ app })
    expect(await credentialWith({ webhookSecret: 's' }, ['team-a=acme/*'])).toEqual({ app })
    expect(await credentialWith(undefined, ['team-b=acme/*'])).toBeUndefined()
  })

  it.each([
    [{ webhookSecret: 's' }, 'has none of the keys token, password, identity and appId'],
    [{ appId: '1' }, 'needs both keys appId and privateKey'],
    [{ privateKey: pem }, 'needs both keys appId and privateKey'],
    [{ appId: '1', privateKey: 'hunter2' }, 'privateKey: expected a key in PEM form'],
    [{ appId: 'a b', privateKey: pem }, 'appId: expected'],
    [{ appId: '1', privateKey: pem, installationId: 'x' }, 'installationId: expected a number'],
    [{ appId: '1', privateKey: pem, token: 'ghp_x' }, 'keep one of token, password, identity, appId'],
  ])('is refused when it is %j', async (data, message) => {
    const failure = credentialWith(data, [])
    await expect(failure).rejects.toMatchObject({ reason: 'SecretInvalid' })
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.not.toThrow('hunter2')
  })

  it('of an App needs a GitHub', async () => {
    await expect(credentialWith({ appId: '1', privateKey: pem }, [], 'git')).rejects.toThrow(
      'needs spec.source.forge.type github',
    )
  })
})
