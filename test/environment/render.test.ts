import { describe, expect, it } from 'vitest'
import type { ChangeFacts } from '../../src/api/index.ts'
import type { DesiredKluctlDeployment, DesiredObjects } from '../../src/environment/desired.ts'
import { type RenderInput, renderDesired } from '../../src/environment/render.ts'
import { formatProblem, InvalidInputError } from '../../src/util/errors.ts'
import { branch, projectOf, pullRequest, shaOf } from './builders.ts'

const kluctl = (fields: object) => ({ deploy: { kluctlDeployment: fields } })
const objects = (...manifests: object[]) => ({ deploy: { objects: { manifests } } })
const configMap = (data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  data,
})
const render = (spec: object, facts: ChangeFacts = pullRequest(42), rest: Partial<RenderInput> = {}) =>
  renderDesired({ project: projectOf(spec as Record<string, unknown>), facts, ...rest })
const argsOf = (args: object, facts?: ChangeFacts, rest?: Partial<RenderInput>) =>
  (render(kluctl({ args }), facts, rest).backend as DesiredKluctlDeployment).args
const problemsOf = (run: () => unknown): string[] => {
  try {
    run()
    return []
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem)
    throw error
  }
}
const argProblems = (text: string, facts?: ChangeFacts) => problemsOf(() => argsOf({ x: text }, facts))

describe('names', () => {
  it('come first, then the namespace, then the address, then the rest', () => {
    const desired = render({
      environment: {
        name: 'e-{{ change.number }}',
        namespace: {
          name: 'ns-{{ environment.name }}',
          labels: { team: '{{ environment.namespace }}' },
          annotations: { link: '{{ environment.url }}' },
        },
      },
      feedback: { url: 'https://{{ environment.name }}.{{ environment.namespace }}.example.com' },
      ...kluctl({ args: { url: '{{ environment.url }}' } }),
    })
    expect(desired).toMatchObject({
      name: 'e-42',
      namespace: {
        name: 'ns-e-42',
        labels: { team: 'ns-e-42' },
        annotations: { link: 'https://e-42.ns-e-42.example.com' },
      },
      url: 'https://e-42.ns-e-42.example.com',
      clusterRole: 'offshoot-environment',
      revision: pullRequest(42).sha,
      backend: { args: { url: 'https://e-42.ns-e-42.example.com' } },
    })
  })

  it('cannot use each other the wrong way round', () => {
    expect(problemsOf(() => render({ environment: { name: '{{ environment.url }}' } }))).toEqual([
      expect.stringMatching(
        /^spec\.environment\.name: environment\.url cannot be used here: environment\.name is rendered first/,
      ),
    ])
  })

  it('fit by default, whatever project and branch are called', () => {
    const project = projectOf({}, { name: `p${'x'.repeat(60)}` })
    for (const name of ['🚀', 'x'.repeat(250), 'a{{target}}b', 'feature/x']) {
      const desired = renderDesired({ project, facts: branch(name) })
      expect(desired.namespace.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/)
      expect(desired.namespace.name).toBe(desired.name)
    }
    expect(render({}).namespace.name).toBe('shop-pr-42')
  })

  it('that a person chose are refused rather than changed', () => {
    const problem = (name: string) => problemsOf(() => render({ environment: { namespace: { name } } }))
    expect(problem(`${'a'.repeat(60)}-{{ change.number }}-x`)).toEqual([
      expect.stringMatching(
        /^spec\.environment\.namespace\.name: expected at most 63 characters for a namespace, got 65/,
      ),
    ])
    expect(problem('{{ change.branch }}')).toEqual([expect.stringMatching(/a DNS label\), got "feature\/42"/)])
    expect(problem('kube-{{ change.slug }}')).toHaveLength(1)
    expect(problem('{{ change.title[100:] }}')).toEqual([expect.stringMatching(/got an empty one/)])
  })

  it('keep the namespace that was fixed at creation', () => {
    expect(
      render({ environment: { namespace: { name: 'new-{{ change.slug }}' } } }, undefined, { namespace: 'old' }),
    ).toMatchObject({
      namespace: { name: 'old' },
      backend: { args: { namespace: 'old' } },
    })
  })
})

describe('the scope', () => {
  it('tells all about a pull request', () => {
    const names = ['kind', 'number', 'branch', 'base', 'author', 'title', 'sha', 'shortSha', 'slug', 'fork', 'url']
    const args = argsOf(Object.fromEntries(names.map(name => [name, `{{ change.${name} }}`])))
    const facts = pullRequest(42)
    expect(args).toEqual({
      kind: 'pullRequest',
      number: '42',
      branch: 'feature/42',
      base: 'main',
      author: 'ann',
      title: 'Change 42',
      sha: facts.sha,
      shortSha: facts.sha.slice(0, 7),
      slug: 'pr-42',
      fork: 'False',
      url: facts.url,
    })
  })

  it('lets templates decide', () => {
    const text =
      "{% if 'preview' in change.labels and not change.fork %}{{ change.labels | join(',') | upper }}{% endif %}"
    expect(argsOf({ x: text, y: '{{ project.namespace }}/{{ project.name }}' })).toEqual({
      x: 'PREVIEW',
      y: 'offshoot/shop',
    })
  })

  it('speaks of the commit that is deployed, not of the head', () => {
    const revision = shaOf('older')
    const desired = render(kluctl({ args: { tag: '{{ change.sha }}' } }), undefined, { revision })
    expect(desired).toMatchObject({
      revision,
      backend: { args: { tag: revision }, spec: { source: { git: { ref: { commit: revision } } } } },
    })
  })

  it('names what is undefined, with the field and what there is', () => {
    expect(problemsOf(() => argsOf({ tag: '{{ change.shaa }}', deep: [{ a: '{{ chnge.sha }}' }] }))).toEqual([
      expect.stringMatching(
        /^spec\.deploy\.kluctlDeployment\.args\.tag: .*shaa.*; known are project\.\{name,namespace\}, change\.\{kind,/,
      ),
      expect.stringMatching(/^spec\.deploy\.kluctlDeployment\.args\.deep\[0\]\.a: .*chnge.*undefined/),
    ])
  })

  it('says why a branch has no number', () => {
    expect(argProblems('{{ change.number }}', branch('x'))).toEqual([
      'spec.deploy.kluctlDeployment.args.x: change.number is undefined: this change is a branch',
    ])
    expect(argsOf({ x: "{{ change.number | default('none') }}" }, branch('x'))).toEqual({ x: 'none' })
  })

  it('reports the mistakes of all strings at once', () => {
    const spec = {
      environment: { name: '{{ nope }}', namespace: { name: 'X Y', labels: { a: '{{ nope }}', b: 'not a label!' } } },
      feedback: { url: 'ftp://x' },
      ...kluctl({
        target: '{{ nope }}',
        args: { a: '{{ nope }}' },
        images: [{ image: 'a', resultImage: '{{ nope }}' }],
      }),
    }
    expect(problemsOf(() => render(spec)).map(problem => problem.split(': ')[0])).toEqual([
      'spec.environment.name',
      'spec.feedback.url',
      'spec.environment.namespace.labels.a',
      'spec.environment.namespace.labels.b',
      'spec.deploy.kluctlDeployment.target',
      'spec.deploy.kluctlDeployment.args.a',
      'spec.deploy.kluctlDeployment.images[0].resultImage',
    ])
  })
})

describe('a hostile change', () => {
  const fields = ['title', 'branch', 'base', 'author', 'url'] as const
  const attacks = ['{{ 7*7 }}', '{% x %}', '{# x', 'a\nb: c', 'a\u0000', '\u001b[31m', 'a\u2028b', '\ud800']

  it.each(
    fields.flatMap(field => attacks.map(attack => [field, attack] as const)),
  )('is refused where %s %j is used', (field, attack) => {
    const facts = pullRequest(1, { [field]: attack })
    expect(argProblems(`x {{ change.${field} }}`, facts)).toEqual([
      expect.stringMatching(
        new RegExp(`^spec\\.deploy\\.kluctlDeployment\\.args\\.x: the value of change\\.${field} is refused: it `),
      ),
    ])
    for (const way of [
      '{{ change.F | upper }}',
      '{{ change.F ~ "" }}',
      '{% if change.F %}x{% endif %}',
      '{{ change.F[0] }}',
      '{{ [change.F] | join }}',
      '{% set t = change.F %}{{ t }}',
      '{% for c in change.F %}{{ c }}{% endfor %}',
    ]) {
      expect(argProblems(way.replaceAll('F', field), facts), way).toEqual([
        expect.stringContaining(`the value of change.${field} is refused`),
      ])
    }
  })

  it.each(attacks)('is harmless with %j where nothing uses it', attack => {
    const facts = pullRequest(1, { title: attack, branch: `b${attack}`, author: attack, labels: [attack] })
    expect(argsOf({ x: '{{ change.slug }}' }, facts)).toEqual({ x: 'pr-1' })
    expect(render({}, branch(`b${attack}`)).name).toMatch(/^shop-b.*-[0-9a-f]{8}$/)
  })

  it('is refused by the label that holds a template, and by no other', () => {
    const facts = pullRequest(1, { labels: ['good', '{{ bad }}'] })
    expect(argsOf({ x: '{{ change.labels[0] }}' }, facts)).toEqual({ x: 'good' })
    expect(argProblems("{{ change.labels | join(',') }}", facts)).toEqual([
      expect.stringMatching(/the value of change\.labels\[1\] is refused/),
    ])
  })

  it.each([
    ['two halves', '{{ change.title }}{{ change.author }}', { title: 'a{', author: '{ evil }}' }],
    ['half from the template', "{{ '{' }}{{ change.title }}", { title: '{ evil }}' }],
    ['a filter that takes out what stands between', "{{ change.title | replace('-', '') }}", { title: '{-{ evil }-}' }],
    ['formatting', "{{ '%s%s' | format(change.title, change.title) }}", { title: '{' }],
    ['reversal', '{{ change.title | reverse }}', { title: '%{ x' }],
  ])('cannot put a marker together from %s', (_name, text, facts) => {
    expect(argProblems(text, pullRequest(1, facts))).toEqual([
      expect.stringMatching(/template marker .* comes from the change, and is refused/),
    ])
  })

  it('leaves alone the markers that the project itself writes', () => {
    const text = '{% raw %}{{ args.x }}{% endraw %} {{ change.title }}'
    expect(argsOf({ x: text }, pullRequest(1, { title: 'a } b' }))).toEqual({ x: '{{ args.x }} a } b' })
  })

  it('is rendered once only', () => {
    expect(argsOf({ x: "{{ '{' }}{{ '{ change.title }' }}{{ '}' }}" })).toEqual({ x: '{{ change.title }}' })
  })
})

describe('limits', () => {
  it.each([
    ['endless loops', '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}'],
    ['huge strings', "{{ 'x' * 99999999 }}"],
    ['a bomb of filters', "{{ ('x' * 9999) | replace('x', 'x' * 9999) }}"],
    ['randomness', '{{ [1, 2, 3] | random }}'],
    ['files', "{% include '/etc/passwd' %}"],
    ['escapes', "{{ ''.__class__.__mro__ }}"],
    ['escapes through constructors', '{{ change.constructor.constructor }}'],
    ['unknown filters', '{{ change.sha | nope }}'],
    ['broken syntax', '{{ change.sha'],
  ])('refuses %s, naming the field', (_name, text) => {
    expect(argProblems(text)).toEqual([expect.stringMatching(/^spec\.deploy\.kluctlDeployment\.args\.x: /)])
  })

  it('bounds all strings together', () => {
    const args = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, "{{ 'x' * 100000 }}"]))
    expect(problemsOf(() => argsOf(args))).toEqual([expect.stringMatching(/all strings together/)])
  })

  it('bounds the number of templates and the nesting', () => {
    const many = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`a${index}`, '{{ change.sha }}']))
    expect(problemsOf(() => argsOf(many))).toEqual([expect.stringMatching(/at most 1000 templates/)])
    const deep = Array.from({ length: 200 }).reduce<unknown>(inner => ({ a: inner }), 'x')
    expect(problemsOf(() => argsOf({ deep }))).toEqual([expect.stringMatching(/at most 60 levels/)])
  })
})

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

describe('the address', () => {
  const url = (text: string) => problemsOf(() => render({ feedback: { url: text } }))

  it.each([
    '',
    'http://x',
    'https://{{ environment.name }}.example.com/path?a=b#c',
    'https://[::1]:8080/',
  ])('%j is one', text => {
    expect(url(text)).toEqual([])
  })

  it.each([
    'example.com',
    'javascript:alert(1)',
    'https://',
    'https://a b',
    'https://u:p@x',
    'https://x/"><script>',
    'ftp://x',
    '//x',
    `https://${'a'.repeat(64)}.com`,
  ])('%j is none', text => {
    expect(url(text)).toHaveLength(1)
  })
})

it('compiles the templates of a project once for all its environments', () => {
  const project = projectOf(objects(configMap({ x: '{{ change.slug }}' })))
  const names = Array.from(
    { length: 1000 },
    (_, index) => renderDesired({ project, facts: pullRequest(index + 1) }).name,
  )
  expect(new Set(names).size).toBe(1000)
})
