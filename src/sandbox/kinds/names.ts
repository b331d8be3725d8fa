const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  'an alphanumeric character'
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  'end with an alphanumeric character'

/** Kinds whose names are DNS labels: they become parts of host names. */
const labelNames = new Set(['namespaces', 'services'])

/** Kinds whose names are free of the rules of DNS: only what a path needs. */
const pathNames = new Set([
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
])

/** What is wrong with an object's name, if anything. */
export function nameProblem(name: string, storage: string): string | undefined {
  if (pathNames.has(storage)) {
    return name === '.' || name === '..' || /[/%]/.test(name) ? `may not be ".", ".." or contain "/" or "%"` : undefined
  }
  if (labelNames.has(storage)) {
    if (name.length > 63) return 'must be no more than 63 characters'
    return label.test(name) ? undefined : labelText
  }
  if (name.length > 253) return 'must be no more than 253 characters'
  return subdomain.test(name) ? undefined : subdomainText
}

/** What is wrong with the key of a label or annotation, if anything. */
export function keyProblem(key: string): string | undefined {
  const parts = key.split('/')
  const name = parts.at(-1) ?? ''
  if (parts.length > 2) return 'a qualified name must consist of at most one prefix and a name'
  if (parts.length === 2 && !(subdomain.test(parts[0] ?? '') && (parts[0] ?? '').length <= 253)) {
    return `prefix part ${subdomainText}`
  }
  if (name.length > 63) return 'name part must be no more than 63 characters'
  return qualified.test(name) ? undefined : "name part must consist of alphanumeric characters, '-', '_' or '.'"
}

/** What is wrong with a label's value, if anything. */
export function labelValueProblem(value: string): string | undefined {
  if (value === '') return undefined
  if (value.length > 63) return 'must be no more than 63 characters'
  const text = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
  return qualified.test(value) ? undefined : text
}
