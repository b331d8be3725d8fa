import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { checkProjectFile } from '../../src/environment/check-file.ts'
import { checkProject, projectProblems } from '../../src/environment/validate.ts'
import { formatProblem } from '../../src/util/errors.ts'
import { projectOf, specInput } from './builders.ts'
import { configMap, kluctl } from './rendering.ts'

const input = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'offshoot.dev/v1alpha1',
  kind: 'ReviewProject',
  metadata: { name: 'shop', namespace: 'offshoot', ...metadata },
  spec: { ...specInput, ...spec },
})
const problemsOf = (value: unknown): string[] => (checkProject(value).problems ?? []).map(formatProblem)

describe('checkProject', () => {
  it('gives a good project with its defaults', () => {
    expect(checkProject(input()).project).toMatchObject({
      metadata: { name: 'shop', namespace: 'offshoot' },
      spec: { suspend: false, environment: { limit: 20 }, deploy: { kluctlDeployment: { prune: true } } },
    })
    const { metadata } = { ...input(), metadata: { name: 'shop' } }
    expect(checkProject({ ...input(), metadata }).project?.metadata.namespace).toBe('default')
  })

  it('names unknown fields and wrong types, every one, with what was expected', () => {
    const wrong = input({
      suspend: 'yes',
      source: { url: '', forge: { type: 'svn' }, interval: '5 minutes' },
      changes: { pullRequests: { label: {}, paths: 'x', drafts: null }, branches: { include: [] } },
      environment: { limit: -1, nmae: 'x' },
    })
    expect(problemsOf(wrong)).toEqual([
      'spec.suspend: expected a boolean, got a string ("yes")',
      'spec.source.url: expected at least 1 character, got 0',
      'spec.source.forge.type: expected github or git, got "svn"',
      'spec.source.interval: expected a duration such as 30s, 5m or 1h30m, got "5 minutes"',
      'spec.changes.pullRequests.drafts: expected a boolean, got null',
      'spec.changes.pullRequests.paths: expected a list, got a string ("x")',
      'spec.changes.pullRequests.label: unknown field; expected one of labels, targetBranches, sourceBranches, authors, title, drafts, paths, forks (did you mean labels?)',
      'spec.changes.branches.include: expected at least 1 entry, got 0',
      'spec.environment.limit: expected at least 0, got -1',
      'spec.environment.nmae: unknown field; expected one of name, namespace, clusterRole, limit (did you mean name?)',
    ])
  })

  it.each([null, undefined, 42, 'x', [], {}])('says what is wrong with %j', value => {
    expect(problemsOf(value).length).toBeGreaterThan(0)
  })

  it('names undefined variables, broken templates and names that are too long, all at once', () => {
    const wrong = input({
      environment: { namespace: { name: `${'x'.repeat(60)}-{{ change.slug }}` } },
      feedback: { url: '{{ environment.nmae }}' },
      ...kluctl({ args: { tag: '{{ change.tag }}', broken: 'a' } }),
    })
    const problems = problemsOf(wrong)
    expect(problems).toContainEqual(
      expect.stringMatching(/^spec\.environment\.namespace\.name: expected at most 63 characters/),
    )
    expect(problems).toContainEqual(expect.stringMatching(/^spec\.feedback\.url: .*nmae/))
    expect(problems).toContainEqual(expect.stringMatching(/^spec\.deploy\.kluctlDeployment\.args\.tag: .*tag/))
    expect(problemsOf(input(kluctl({ args: { a: '{{ x', b: '{% if %}' } })))).toHaveLength(2)
  })

  it('tries a branch too when the project follows branches', () => {
    const uses = kluctl({ args: { n: '{{ change.number }}' } })
    expect(problemsOf(input(uses))).toEqual([
      'spec.deploy.kluctlDeployment.args.n: change.number is undefined: this change is a branch',
    ])
    expect(problemsOf(input({ changes: { pullRequests: {} }, ...uses }))).toEqual([])
  })

  it('names globs and expressions that cannot be read', () => {
    const changes = { pullRequests: { title: { match: '(' }, paths: ['[a'] } }
    expect(problemsOf(input({ changes })).map(problem => problem.split(': ')[0])).toEqual([
      'spec.changes.pullRequests.paths[0]',
      'spec.changes.pullRequests.title.match',
    ])
  })

  it.each([
    ['spec.deploy', { deploy: {} }],
    [
      'spec.deploy',
      {
        deploy: {
          kluctlDeployment: {},
          objects: { manifests: [{ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' } }] },
        },
      },
    ],
    ['spec.deploy.kluctlDeployment.project', kluctl({ project: { url: 'https://x/y.git' } })],
    ['spec.deploy.kluctlDeployment.project', kluctl({ project: { ref: { branch: 'x' } } })],
    [
      'spec.deploy.kluctlDeployment.project.ref',
      kluctl({ project: { url: 'https://x/y.git', ref: { branch: 'x', tag: 'y' } } }),
    ],
    ['spec.deploy.kluctlDeployment.project.ref', kluctl({ project: { url: 'https://x/y.git', ref: {} } })],
    ['spec.changes.pullRequests', { source: { url: 'https://x/y.git', forge: { type: 'git' } } }],
    ['spec.source.url', { source: { url: 'ext::sh -c id', forge: { type: 'github' } } }],
    ['spec.source.url', { source: { url: '--upload-pack=id', forge: { type: 'github' } } }],
    ['spec.deploy.kluctlDeployment.project.url', kluctl({ project: { url: 'ext::id', ref: { branch: 'x' } } })],
    [
      'spec.configFile.allow\\[1\\]',
      { configFile: { allow: ['enabled', 'args.x'] }, deploy: { objects: { manifests: [configMap({})] } } },
    ],
    ['spec.changes.pullRequests.forks', { changes: { pullRequests: { forks: 'allow' } } }],
  ])('holds the rules between fields: %s', (path, spec) => {
    expect(problemsOf(input(spec))).toEqual([
      expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')}: expected`)),
    ])
  })

  it.each([
    ['labels', 'pod-security.kubernetes.io/enforce', 'privileged'],
    ['labels', 'pod-security.kubernetes.io/enforce', '{{ "restricted" }}'],
    ['labels', 'kubernetes.io/metadata.name', 'kube-system'],
    ['labels', 'app.kubernetes.io/managed-by', 'x'],
    ['labels', 'offshoot.dev/environment', 'x'],
    ['labels', 'sub.offshoot.dev/x', 'x'],
    ['annotations', 'offshoot.dev/owner', 'x'],
    ['annotations', 'scheduler.alpha.kubernetes.io/node-selector', 'x'],
    ['annotations', 'openshift.io/sa.scc.uid-range', 'x'],
    ['labels', 'not a key', 'x'],
  ])('lets a project set no %s %s on its namespaces', (field, key, value) => {
    const problems = problemsOf(input({ environment: { namespace: { [field]: { [key]: value } } } }))
    expect(problems).toEqual([
      expect.stringContaining(`spec.environment.namespace.${field}[${JSON.stringify(key)}]: expected a key`),
    ])
  })

  it.each([
    ['team', 'a'],
    ['example.com/team', '{{ project.name }}'],
    ['pod-security.kubernetes.io/enforce', 'restricted'],
    ['pod-security.kubernetes.io/warn', 'baseline'],
    ['app.kubernetes.io/part-of', 'shop'],
    ['notkubernetes.io/x', 'y'],
  ])('lets it set the label %s=%s', (key, value) => {
    expect(problemsOf(input({ environment: { namespace: { labels: { [key]: value } } } }))).toEqual([])
  })

  it('refuses a project whose name is no label value', () => {
    expect(problemsOf(input({}, { name: 'x'.repeat(64) }))).toContain(
      'metadata.name: expected at most 63 characters, got 64',
    )
    expect(problemsOf(input({}, { name: 'Shop' }))).toEqual([
      expect.stringMatching(/^metadata\.name: expected lower-case/),
    ])
  })
})

describe('projectProblems', () => {
  it('finds nothing in a good project, and what the API server lets through', () => {
    expect(projectProblems(projectOf())).toEqual([])
    expect(projectProblems(projectOf(kluctl({ args: { x: '{{ nope }}' } })))).toHaveLength(1)
  })
})

describe('checkProjectFile', () => {
  const text = (...documents: object[]) => documents.map(document => stringify(document)).join('---\n')
  const lines = (yaml: string) => checkProjectFile(yaml, 'project.yaml').problems.map(formatProblem)

  it('gives every project of a file, and names what it did not look at', () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }
    const checked = checkProjectFile(text(secret, input(), input({}, { name: 'other' })), 'project.yaml')
    expect(checked.problems).toEqual([])
    expect(checked.projects.map(project => project.metadata.name)).toEqual(['shop', 'other'])
    expect(checked.skipped).toEqual([{ kind: 'Secret', line: 2 }])
  })

  it('tells file, line and column of each mistake in each document', () => {
    const yaml = `apiVersion: offshoot.dev/v1alpha1
kind: ReviewProject
metadata: {name: shop}
spec:
  source:
    url: https://example.com/a/b.git
    forge: {type: github}
  changes:
    pullRequests:
      titel: x
  deploy:
    kluctlDeployment:
      args:
        a: "{{ nope }}"
---
apiVersion: offshoot.dev/v1alpha1
kind: ReviewProject
metadata: {name: two}
spec:
  source:
    url: https://example.com/a/b.git
    forge: {type: github}
  environment:
    namespace:
      labels:
        a b: "x"
  deploy:
    kluctlDeployment:
      args:
        list:
        - fine
        - "{{ nope }}"
`
    expect(lines(yaml)).toEqual([
      expect.stringMatching(
        /^project\.yaml:10:7: spec\.changes\.pullRequests\.titel: unknown field; .*did you mean title\?/,
      ),
      expect.stringMatching(/^project\.yaml:26:9: spec\.environment\.namespace\.labels\["a b"\]: expected a key/),
      expect.stringMatching(/^project\.yaml:32:11: spec\.deploy\.kluctlDeployment\.args\.list\[1\]: .*nope/),
    ])
  })

  it.each([
    ['a duplicated key', 'a: 1\na: 2\n', /^project\.yaml:2:1: .*unique/],
    ['an alias', 'a: &x 1\nb: *x\n', /^project\.yaml:2:4: expected no alias/],
    ['an empty file', '', /^project\.yaml: expected a ReviewProject .*got an empty file$/],
    ['only other kinds', 'apiVersion: v1\nkind: Secret\n', /^project\.yaml: expected a ReviewProject .*got "Secret"$/],
    ['broken YAML', 'a: [\n', /^project\.yaml:\d+:\d+: /],
    [
      'a wrong version',
      'apiVersion: offshoot.dev/v1\nkind: ReviewProject\n',
      /apiVersion: expected offshoot\.dev\/v1alpha1, got "offshoot\.dev\/v1"/,
    ],
    [
      'a wrong kind',
      'apiVersion: offshoot.dev/v1alpha1\nkind: Reviewproject\n',
      /kind: expected ReviewProject, got "Reviewproject"/,
    ],
    ['a text', 'hello\n', /expected an object, got a string/],
  ])('tells of %s', (_name, yaml, expected) => {
    expect(lines(yaml)).toContainEqual(expect.stringMatching(expected))
  })
})
