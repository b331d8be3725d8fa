/** What helm, kustomize and the git that they start need of the surroundings; credentials of ours are not among it. */
const passedOn = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'XDG_CONFIG_HOME',
  'DOCKER_CONFIG',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
]

/** The environment of a program: a selection of ours (empty for untrusted projects) and what is added to it. */
export function toolEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of passedOn) {
    const value = environment[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...added }
}
