import { backendNames, type ReviewProjectSpec } from '../api/index.ts'
import type { Problem } from '../util/errors.ts'
import { filterProblems } from './filters.ts'
import { isSubdomain, maxLabel, quote } from './names.ts'
import { namespaceKeyProblem } from './rendered-checks.ts'
import { formatPath } from './schema-problems.ts'

/** Mistakes that a schema cannot see: rules between fields (the CRD's CEL rules among them), globs, expressions, keys. */
export function specProblems(spec: ReviewProjectSpec): Problem[] {
  return [
    ...urlRules(spec),
    ...forgeRules(spec),
    ...deployRules(spec),
    ...configFileRules(spec),
    ...filterProblems(spec.changes),
    ...namespaceRules(spec),
  ]
}

/** What is wrong with the project's own name and namespace. */
export function metadataProblems(metadata: { name: string; namespace?: string | undefined }): Problem[] {
  const { name, namespace } = metadata
  const problems: Problem[] = []
  if (name.length > maxLabel) {
    problems.push({ path: 'metadata.name', message: `expected at most ${maxLabel} characters, got ${name.length}` })
  } else if (!isSubdomain(name)) {
    const message = `expected lower-case letters, digits, dashes and dots, got ${quote(name)}`
    problems.push({ path: 'metadata.name', message })
  }
  if (namespace !== undefined && (!isSubdomain(namespace) || namespace.length > maxLabel || namespace.includes('.'))) {
    problems.push({ path: 'metadata.namespace', message: `expected the name of a namespace, got ${quote(namespace)}` })
  }
  return problems
}

function forgeRules({ source, changes, deploy }: ReviewProjectSpec): Problem[] {
  const problems: Problem[] = []
  if (source.forge.type === 'git' && changes.pullRequests) {
    problems.push({
      path: 'spec.changes.pullRequests',
      message: 'expected none, as a bare Git server has no pull requests: remove it or choose another forge type',
    })
  }
  const ownRepository = deploy.kluctlDeployment && deploy.kluctlDeployment.project.url === undefined
  if (changes.pullRequests?.forks === 'allow' && ownRepository) {
    problems.push({
      path: 'spec.changes.pullRequests.forks',
      message:
        'expected deny, or deploy.kluctlDeployment.project.url and ref: kluctl cannot fetch a commit that only a fork has',
    })
  }
  return problems
}

/** Git reads more than addresses where it expects one: options, and transports that run commands. */
function urlRules({ source, deploy }: ReviewProjectSpec): Problem[] {
  const urls: [path: string, url: string | undefined][] = [
    ['spec.source.url', source.url],
    ['spec.deploy.kluctlDeployment.project.url', deploy.kluctlDeployment?.project.url],
    ['spec.deploy.engine.project.url', deploy.engine?.project.url],
  ]
  return urls.flatMap(([path, url]) =>
    url !== undefined && /^-|^[a-z0-9+.-]+::|[\s\p{Cc}]/iu.test(url)
      ? [{ path, message: `expected the address of a Git repository, such as https://…, got ${quote(url)}` }]
      : [],
  )
}

/** What a branch may override must have an effect. */
function configFileRules({ configFile, deploy }: ReviewProjectSpec): Problem[] {
  if (!deploy.objects) return []
  return configFile.allow.flatMap((name, index) =>
    name === 'enabled'
      ? []
      : [
          {
            path: `spec.configFile.allow[${index}]`,
            message: `expected only enabled, as deploy.objects has no ${name}`,
          },
        ],
  )
}

function deployRules({ deploy }: ReviewProjectSpec): Problem[] {
  const given = backendNames.filter(name => deploy[name] !== undefined)
  const [name] = given
  if (given.length !== 1 || name === undefined) {
    const got = given.length === 0 ? 'none' : given.join(' and ')
    return [{ path: 'spec.deploy', message: `expected exactly one of ${backendNames.join(', ')}, got ${got}` }]
  }
  const project = name === 'objects' ? undefined : deploy[name]?.project
  if (project === undefined) return []
  const at = `spec.deploy.${name}.project`
  const { url, ref } = project
  const problems: Problem[] = []
  if ((url === undefined) !== (ref === undefined)) {
    problems.push({ path: at, message: `expected url and ref together, got only ${url === undefined ? 'ref' : 'url'}` })
  }
  const named = Object.values(ref ?? {}).filter(value => value !== undefined).length
  if (ref && named !== 1) {
    problems.push({ path: `${at}.ref`, message: `expected exactly one of branch, tag and commit, got ${named}` })
  }
  return problems
}

function namespaceRules({ environment }: ReviewProjectSpec): Problem[] {
  return (['labels', 'annotations'] as const).flatMap(field =>
    Object.entries(environment.namespace[field]).flatMap(([key, template]) => {
      const message = namespaceKeyProblem(key, template)
      return message === undefined
        ? []
        : [{ path: formatPath(['spec', 'environment', 'namespace', field, key]), message }]
    }),
  )
}
