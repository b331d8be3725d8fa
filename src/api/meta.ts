/** API group, versions and every label, annotation and finalizer that Offshoot puts on objects. */

export const group = 'offshoot.dev'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`

/** Field manager of everything the controller applies. */
export const fieldManager = 'offshoot'

export const labels = {
  /** On everything Offshoot makes; value `offshoot`. */
  managedBy: 'app.kubernetes.io/managed-by',
  /** Name of the ReviewProject (cut and hashed to 63 characters). */
  project: `${group}/project`,
  /** Name of the ReviewEnvironment (cut and hashed to 63 characters). */
  environment: `${group}/environment`,
  /** Namespace of the ReviewProject. */
  projectNamespace: `${group}/project-namespace`,
} as const

export const annotations = {
  /** On namespaces and accounts: `<project namespace>/<project name>/<environment name>`; what lacks it is not ours. */
  owner: `${group}/owner`,
  /** On namespaces and accounts: uid of the ReviewEnvironment they were created for. */
  ownerUid: `${group}/owner-uid`,
  /** Any new value on a ReviewEnvironment or ReviewProject asks for a reconcile. */
  requestedAt: `${group}/requested-at`,
  /** On what a backend applied: digest of what was asked for, so that nothing is written when nothing changed. */
  digest: `${group}/digest`,
  /** On a ReviewEnvironment: who deployed into it from a working tree, and when (JSON, `ByHand`). */
  byHand: `${group}/deployed-by-hand`,
  /** On a ReviewEnvironment: what its first reconcile will make (JSON, `Claim`). */
  claim: `${group}/claim`,
  /** On a Secret with a short-lived credential: when it ends (RFC 3339). */
  expiresAt: `${group}/expires-at`,
  /** On the Lease of the controllers: `http://host:port` where its holder takes deliveries. */
  address: `${group}/address`,
} as const

/** On both custom resources: stays until everything they stand for is proven gone. */
export const finalizer = `${group}/teardown`

/** Value of `labels.managedBy`. */
export const managedByValue = 'offshoot'
