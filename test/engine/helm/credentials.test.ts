import { expect, test } from 'vitest'
import { type CredentialFamily, chartCredentials } from '../../../src/engine/helm/credentials.ts'

test.each<[CredentialFamily, string]>([
  ['helm', 'https://charts.example.com/stable'],
  ['registry', 'oci://charts.example.com/stable'],
])('%s: sets of variables have a default for certificates that nobody vouches for', (family, url) => {
  const name = `KLUCTL_${family.toUpperCase()}`
  const set = { [`${name}_HOST`]: 'charts.example.com' }
  const skips = (environment: Record<string, string>) =>
    chartCredentials(family, {}, environment)(url)?.insecureSkipTlsVerify ?? false
  const byDefault = { ...set, [`${name}_DEFAULT_INSECURE_SKIP_TLS_VERIFY`]: 'true' }
  expect(skips(set)).toBe(false)
  expect(skips(byDefault)).toBe(true)
  expect(skips({ ...set, [`OFFSHOOT_${family.toUpperCase()}_DEFAULT_INSECURE_SKIP_TLS_VERIFY`]: '1' })).toBe(true)
  expect(skips({ ...byDefault, [`${name}_DEFAULT_INSECURE_SKIP_TLS_VERIFY`]: 'false' })).toBe(false)
  expect(skips({ ...byDefault, [`${name}_INSECURE_SKIP_TLS_VERIFY`]: 'false' })).toBe(false)
  // As kluctl: it is a default of sets of variables, not of every host.
  const other = { ...byDefault, [`${name}_HOST`]: 'other.example.com' }
  expect(skips(other)).toBe(false)
})
