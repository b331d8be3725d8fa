import { describe, expect, it } from 'vitest'
import { renderDesired } from '../../src/environment/render.ts'
import { branch, projectOf, pullRequest, shaOf } from './builders.ts'
import { argProblems, argsOf, configMap, kluctl, objects, problemsOf, render } from './rendering.ts'

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
    const text = "{% if 'preview' in change.labels and not change.fork %}{{ change.labels[0] | upper }}{% endif %}"
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
