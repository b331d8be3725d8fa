import { describe, expect, it } from 'vitest'
import { resourceOf } from '../../src/kube/paths.ts'

describe('what a path is about', () => {
  it.each([
    ['/api/v1/namespaces', 'namespaces'],
    ['/api/v1/namespaces/shop', 'namespaces'],
    ['/api/v1/namespaces/shop/status', 'namespaces/status'],
    ['/api/v1/namespaces/shop/configmaps?watch=true', 'configmaps'],
    ['/api/v1/namespaces/shop/serviceaccounts/web/token', 'serviceaccounts/token'],
    ['/apis/apps/v1/namespaces/shop/deployments/web', 'deployments'],
    ['/apis/offshoot.dev/v1alpha1/namespaces/a/reviewenvironments/b/status', 'reviewenvironments/status'],
    ['/apis/rbac.authorization.k8s.io/v1/clusterroles/x', 'clusterroles'],
    ['/readyz', '/readyz'],
    ['/apis/apps/v1', '/apis/apps/v1'],
  ])('%s is about %s, whatever the names in it', (path, resource) => {
    expect(resourceOf(path)).toBe(resource)
  })
})
