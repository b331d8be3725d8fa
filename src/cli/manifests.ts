import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import type { KubeObject } from '../kube/types.ts'
import { OffshootError } from '../util/errors.ts'
import { packageFile } from '../util/package-files.ts'

/** What an installation is made for. */
export interface Installation {
  /** Tells several installations on one cluster apart: names of cluster-wide objects begin with it. */
  name: string
  /** Where the controller's account and its Leases are. */
  controllerNamespace: string
  /** Namespaces that hold ReviewProjects. */
  projectNamespaces: readonly string[]
  /** ClusterRoles that projects may give to environments. */
  allowedClusterRoles: readonly string[]
}

/** Name of the controller's ServiceAccount in its namespace. */
export const controllerAccount = 'offshoot'

const standard = { name: 'offshoot', controllerNamespace: 'offshoot-system', projectNamespace: 'offshoot' }

/** Both CustomResourceDefinitions. */
export async function crdManifests(): Promise<KubeObject[]> {
  const files = ['crd/offshoot.dev_reviewprojects.yaml', 'crd/offshoot.dev_reviewenvironments.yaml']
  return (await Promise.all(files.map(readManifests))).flat()
}

/** Every right that the controller, environments and people need, least first; `config/rbac` for this installation. */
export async function rbacManifests(installation: Installation): Promise<KubeObject[]> {
  const shared = ['environment-role', 'people']
  const own = ['controller-namespace', 'cluster', 'cluster-id']
  const [common, mine, perNamespace] = await Promise.all([
    Promise.all(shared.map(name => readManifests(`rbac/${name}.yaml`))),
    Promise.all(own.map(name => readManifests(`rbac/${name}.yaml`))),
    readManifests('rbac/project-namespace.yaml'),
  ])
  const projects = installation.projectNamespaces.flatMap(namespace => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...perNamespace.map(object => adapt(inNamespace(object, namespace), installation)),
  ])
  return [...common.flat(), ...mine.flat().map(object => adapt(object, installation)), ...projects]
}

/** The admission policy that keeps the controller to its own namespaces and bindings (Kubernetes 1.30 and later). */
export async function admissionManifests(installation: Installation): Promise<KubeObject[]> {
  return (await readManifests('rbac/admission.yaml')).map(object => adapt(object, installation))
}

async function readManifests(path: string): Promise<KubeObject[]> {
  const file = packageFile(`config/${path}`)
  const documents = parseAllDocuments(await readFile(file, 'utf8'))
  return documents.map(document => {
    if (document.errors.length > 0) throw new OffshootError(`${file} is damaged`, { cause: document.errors[0] })
    return document.toJS() as KubeObject
  })
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } }
}

/** Objects whose name is the installation's own; the roles of environments and people are shared. */
const ownNames = new Set(['offshoot-controller', 'offshoot-cluster-id-binder', 'offshoot-projects'])

function adapt(object: KubeObject, installation: Installation): KubeObject {
  const { controllerNamespace, allowedClusterRoles } = installation
  const rename = (name: string) =>
    ownNames.has(name) ? `${installation.name}${name.slice(standard.name.length)}` : name
  const metadata = { ...object.metadata, name: rename(object.metadata.name ?? '') }
  if (metadata.namespace === standard.controllerNamespace) metadata.namespace = controllerNamespace
  if (object.kind === 'Namespace') metadata.name = controllerNamespace
  const adapted: KubeObject = { ...object, metadata }
  if (isBinding(object)) {
    adapted.roleRef = { ...object.roleRef, name: rename(object.roleRef.name) }
    adapted.subjects = object.subjects.map(subject => ({ ...subject, namespace: controllerNamespace }))
  }
  if (isRole(object)) {
    adapted.rules = object.rules.map(rule =>
      rule.resources.includes('clusterroles') ? { ...rule, resourceNames: [...allowedClusterRoles] } : rule,
    )
  }
  return object.kind.startsWith('ValidatingAdmissionPolicy') ? adaptPolicy(adapted, installation, rename) : adapted
}

interface PolicySpec {
  policyName?: string
  matchConditions?: { name: string; expression: string }[]
  variables?: { name: string; expression: string }[]
}

function adaptPolicy(object: KubeObject, installation: Installation, rename: (name: string) => string): KubeObject {
  const { policyName, matchConditions, variables, ...spec } = object.spec as PolicySpec
  const user = (namespace: string) => `system:serviceaccount:${namespace}:${controllerAccount}`
  const byUs = matchConditions?.map(({ name, expression }) => ({
    name,
    expression: expression.replace(user(standard.controllerNamespace), user(installation.controllerNamespace)),
  }))
  const allowed = variables?.map(variable =>
    variable.name === 'allowedClusterRoles'
      ? { ...variable, expression: JSON.stringify(installation.allowedClusterRoles) }
      : variable,
  )
  return {
    ...object,
    spec: {
      ...spec,
      ...(policyName === undefined ? {} : { policyName: rename(policyName) }),
      ...(byUs === undefined ? {} : { matchConditions: byUs }),
      ...(allowed === undefined ? {} : { variables: allowed }),
    },
  }
}

interface Binding {
  roleRef: { apiGroup: string; kind: string; name: string }
  subjects: { kind: string; name: string; namespace: string }[]
}

function isBinding(object: KubeObject): object is KubeObject & Binding {
  return object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding'
}

interface Role {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[]
}

function isRole(object: KubeObject): object is KubeObject & Role {
  return (object.kind === 'Role' || object.kind === 'ClusterRole') && Array.isArray(object.rules)
}
