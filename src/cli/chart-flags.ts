import { type Command, Option } from 'commander'
import type { ChartCredentialFlags } from '../engine/helm/index.ts'

/** Credentials of registries, by kluctl's names. */
export interface RegistryFlagOptions {
  registryUsername?: string[]
  registryPassword?: string[]
  registryCreds?: string[]
  registryToken?: string[]
  registryIdentityToken?: string[]
  registryKeyFile?: string[]
  registryCertFile?: string[]
  registryCaFile?: string[]
  registryInsecureSkipTlsVerify?: string[]
  registryPlainHttp?: string[]
}

/** Credentials of chart repositories and registries, by kluctl's names. */
export interface ChartOptions extends RegistryFlagOptions {
  helmUsername?: string[]
  helmPassword?: string[]
  helmCreds?: string[]
  helmKeyFile?: string[]
  helmCertFile?: string[]
  helmCaFile?: string[]
  helmInsecureSkipTlsVerify?: string[]
}

const flags: readonly [string, string][] = [
  ['--helm-username <host/path=name>', 'user name for a Helm repository'],
  ['--helm-password <host/path=password>', 'password for a Helm repository'],
  ['--helm-creds <host/path=name:password>', 'both at once'],
  ['--helm-key-file <host/path=file>', 'client key for a Helm repository'],
  ['--helm-cert-file <host/path=file>', 'client certificate for a Helm repository'],
  ['--helm-ca-file <host/path=file>', 'certificate authority of a Helm repository'],
  ['--helm-insecure-skip-tls-verify <host/path>', "do not check a Helm repository's certificate"],
  ['--registry-username <host/repo=name>', 'user name for an OCI registry'],
  ['--registry-password <host/repo=password>', 'password for an OCI registry'],
  ['--registry-creds <host/repo=name:password>', 'both at once, or a token'],
  ['--registry-token <host/repo=token>', 'token for an OCI registry'],
  ['--registry-identity-token <host/repo=token>', 'identity token for an OCI registry'],
  ['--registry-key-file <host/repo=file>', 'client key for an OCI registry'],
  ['--registry-cert-file <host/repo=file>', 'client certificate for an OCI registry'],
  ['--registry-ca-file <host/repo=file>', 'certificate authority of an OCI registry'],
  ['--registry-insecure-skip-tls-verify <host/repo>', "do not check an OCI registry's certificate"],
  ['--registry-plain-http <host/repo>', 'reach an OCI registry without TLS'],
]

/** Adds the flags for credentials of charts. What others must not see belongs into `KLUCTL_HELM_…` variables. */
export function withChartFlags(command: Command): void {
  add(command, flags)
}

/** Adds the flags for credentials of registries alone. */
export function withRegistryFlags(command: Command): void {
  add(
    command,
    flags.filter(([names]) => names.startsWith('--registry-')),
  )
}

function add(command: Command, some: typeof flags): void {
  const collect = (value: string, before: string[]) => [...before, value]
  for (const [names, description] of some) {
    command.addOption(new Option(names, description).argParser(collect).default([], 'none'))
  }
}

/** The flags by family and field. */
export function chartCredentialFlags(options: ChartOptions): ChartCredentialFlags {
  return {
    helm: {
      username: options.helmUsername,
      password: options.helmPassword,
      keyFile: options.helmKeyFile,
      certFile: options.helmCertFile,
      caFile: options.helmCaFile,
      insecureSkipTlsVerify: options.helmInsecureSkipTlsVerify,
      creds: options.helmCreds,
    },
    registry: {
      username: options.registryUsername,
      password: options.registryPassword,
      token: options.registryToken,
      identityToken: options.registryIdentityToken,
      keyFile: options.registryKeyFile,
      certFile: options.registryCertFile,
      caFile: options.registryCaFile,
      insecureSkipTlsVerify: options.registryInsecureSkipTlsVerify,
      plainHttp: options.registryPlainHttp,
      creds: options.registryCreds,
    },
  }
}
