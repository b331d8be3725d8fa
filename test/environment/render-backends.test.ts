import { describe, expect, it } from 'vitest'
import type { DesiredObjects } from '../../src/environment/desired.ts'
import { pullRequest } from './builders.ts'
import { configMap, kluctl, objects, problemsOf, render } from './rendering.ts'

describe('kluctlDeployment', () => {
  it('is what kluctl’s API asks for', () => {
    const desired = render(
      kluctl({
        project: { path: 'deploy' },
        target: 'preview-{{ change.kind | lower }}',
        context: 'default',
        args: { n: 3, on: true, none: null, tag: '{{ change.shortSha }}', nested: { list: ['{{ change.number }}'] } },
        images: [{ image: 'registry/shop', resultImage: 'registry/shop:{{ change.shortSha }}' }],
        interval: '1m',
        timeout: '10m',
        prune: false,
        credentials: { git: [{ host: 'example.com', secretRef: { name: 'git' } }] },
      }),
    )
    const { sha } = pullRequest(42)
    expect(desired.backend).toEqual({
      kind: 'kluctlDeployment',
      ownRepository: true,
      prune: false,
      target: 'preview-pullrequest',
      args: { n: 3, on: true, none: null, tag: sha.slice(0, 7), nested: { list: ['42'] } },
      spec: {
        interval: '1m',
        timeout: '10m',
        source: { git: { url: 'https://forge.example.com/acme/shop.git', path: 'deploy', ref: { commit: sha } } },
        target: 'preview-pullrequest',
        context: 'default',
        args: { n: 3, on: true, none: null, tag: sha.slice(0, 7), nested: { list: ['42'] } },
        images: [{ image: 'registry/shop', resultImage: `registry/shop:${sha.slice(0, 7)}` }],
        credentials: { git: [{ host: 'example.com', secretRef: { name: 'git' } }] },
      },
    })
  })

  it('takes a trusted project from elsewhere at its own ref', () => {
    const desired = render(
      kluctl({ project: { url: 'https://forge.example.com/acme/deploy.git', ref: { branch: 'main' } } }),
    )
    expect(desired.backend).toMatchObject({
      ownRepository: false,
      spec: { source: { git: { url: 'https://forge.example.com/acme/deploy.git', ref: { branch: 'main' } } } },
    })
  })

  it('lets the config file replace args and images, as data', () => {
    const config = { args: { tag: 'mine', extra: [1] }, images: [{ image: 'a', resultImage: 'a:mine' }] }
    const spec = kluctl({
      args: { tag: '{{ change.sha }}', kept: 'yes' },
      images: [
        { image: 'a', resultImage: 'a:1' },
        { imageRegex: '^b', resultImage: 'b:1' },
      ],
    })
    expect(render(spec, undefined, { config }).backend).toMatchObject({
      args: { tag: 'mine', kept: 'yes', extra: [1] },
      spec: {
        images: [
          { image: 'a', resultImage: 'a:mine' },
          { imageRegex: '^b', resultImage: 'b:1' },
        ],
      },
    })
  })

  it.each(['', 'a b', 'a\nb', '-x'])('refuses the target %j', target => {
    expect(problemsOf(() => render(kluctl({ target })))).toEqual([
      expect.stringMatching(/^spec\.deploy\.kluctlDeployment\.target: expected the name of a target/),
    ])
  })
})

describe('objects', () => {
  it('are rendered to the last string, and nothing else of them is touched', () => {
    const text = 'line {{ change.number }}\n\nlast\n'
    const desired = render(
      objects({
        ...configMap(
          { text, plain: 'a\r\nb\n' },
          { name: '{{ environment.name }}', namespace: '{{ environment.namespace }}' },
        ),
        binaryData: { n: 1, list: [null, true, '{{ change.slug }}'] },
      }),
    )
    expect((desired.backend as DesiredObjects).manifests).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'shop-pr-42', namespace: 'shop-pr-42' },
        data: { text: 'line 42\n\nlast\n', plain: 'a\r\nb\n' },
        binaryData: { n: 1, list: [null, true, 'pr-42'] },
      },
    ])
  })

  it('keep a templated number or truth a string', () => {
    const desired = render(objects(configMap({ n: '{{ change.number }}', t: '{{ true }}' })))
    expect((desired.backend as DesiredObjects).manifests[0]?.data).toEqual({ n: '42', t: 'True' })
  })

  it.each([
    ['metadata.name', { metadata: { name: '{{ change.branch }}' } }],
    ['metadata.name', { metadata: { name: '{{ change.title[99:] }}' } }],
    ['metadata.namespace', { metadata: { name: 'x', namespace: '{{ change.branch }}' } }],
    ['metadata.labels.a', { metadata: { name: 'x', labels: { a: '{{ change.branch }}' } } }],
    ['metadata.labels.a', { metadata: { name: 'x', labels: { a: 1 } } }],
    ['metadata.annotations["a b"]', { metadata: { name: 'x', annotations: { 'a b': 'x' } } }],
    ['apiVersion', { apiVersion: 'apps' }],
    ['kind', { kind: 'config map' }],
    ['kind', { kind: 'ConfigMapList', items: [] }],
    ['data', { data: { '{{ change.slug }}': 'keys are no templates' } }],
  ])('are refused for a bad %s', (path, overlay) => {
    expect(problemsOf(() => render(objects({ ...configMap({}), ...overlay })))).toEqual([
      expect.stringContaining(`spec.deploy.objects.manifests[0].${path}: expected`),
    ])
  })

  it('are refused twice', () => {
    expect(problemsOf(() => render(objects(configMap({}), configMap({ a: 'b' }))))).toEqual([
      'spec.deploy.objects.manifests[1]: expected each object once, got ConfigMap x twice',
    ])
  })
})
