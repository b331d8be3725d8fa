import { describe, expect, it } from 'vitest'
import { hookOf, isExpectedAfterwards, readHook } from '../../../src/engine/plan/hooks.ts'
import { mapOf } from './plan-items.ts'

const read = (annotations: Record<string, string>) => readHook(mapOf('hook', annotations))

describe('a hook', () => {
  it('has defaults', () => {
    const { object: _, ...hook } = { object: undefined, ...read({ 'kluctl.io/hook': 'pre-deploy' }).hook }
    expect(hook).toEqual({
      types: new Set(['pre-deploy']),
      weight: 0,
      deletePolicies: new Set(['before-hook-creation']),
      wait: true,
      timeout: undefined,
    })
  })

  it('is read with all that is said about it', () => {
    const { hook, errors, warnings } = read({
      'kluctl.io/hook': ' pre-deploy , post-deploy-upgrade,',
      'helm.sh/hook': 'post-install',
      'kluctl.io/hook-weight': '-7',
      'helm.sh/hook-weight': '3',
      'kluctl.io/hook-delete-policy': 'hook-failed',
      'helm.sh/hook-delete-policy': 'hook-succeeded',
      'kluctl.io/hook-wait': 'false',
      'kluctl.io/hook-timeout': '1m30s',
    })
    expect([errors, warnings]).toEqual([[], []])
    const { object: _, ...known } = { object: undefined, ...hook }
    expect(known).toEqual({
      types: new Set(['pre-deploy', 'post-deploy-upgrade', 'post-deploy-initial']),
      weight: -7,
      deletePolicies: new Set(['hook-failed', 'hook-succeeded']),
      wait: false,
      timeout: 90_000,
    })
  })

  it.each([
    [{}, false],
    [{ 'kluctl.io/hook': '' }, false],
    [{ 'helm.sh/hook': 'test' }, false],
    [{ 'helm.sh/hook': 'pre-delete' }, true],
    [{ 'kluctl.io/hook': 'nonsense' }, true],
    [{ 'kluctl.io/hook': 'pre-deploy', 'kluctl.io/delete': 'true' }, false],
  ])('%o is one: %s', (annotations, isHook) => {
    expect(hookOf(mapOf('a', annotations as Record<string, string>)) !== undefined).toBe(isHook)
  })

  it.each([
    [{ 'kluctl.io/hook-wait': 'maybe' }, 'failed to parse annotation kluctl.io/hook-wait=maybe as bool'],
    [{ 'kluctl.io/hook-timeout': '5 minutes' }, 'failed to parse duration: "5 minutes" is none such as 90s or 1h30m'],
    [{ 'kluctl.io/hook-delete-policy': 'never' }, "unsupported kluctl.io/hook-delete-policy 'never'"],
    [
      { 'kluctl.io/hook-weight': '2147483648' },
      'failed to parse hook weight: "2147483648" is not an integer of 32 bits',
    ],
  ])('%o is refused', (annotations, error) => {
    expect(read({ 'kluctl.io/hook': 'pre-deploy', ...(annotations as object) }).errors).toEqual([error])
  })

  it.each([
    [{ 'kluctl.io/hook': 'post-deploy' }, true],
    [{ 'kluctl.io/hook': 'post-deploy', 'kluctl.io/hook-delete-policy': 'before-hook-creation,hook-failed' }, true],
    [{ 'kluctl.io/hook': 'post-deploy', 'kluctl.io/hook-delete-policy': 'hook-succeeded' }, false],
    [{ 'helm.sh/hook': 'post-delete' }, false],
    [{ 'helm.sh/hook': 'post-delete,post-install' }, true],
  ])('%o is there afterwards: %s', (annotations, isThere) => {
    const hook = hookOf(mapOf('a', annotations as Record<string, string>))
    expect(hook !== undefined && isExpectedAfterwards(hook)).toBe(isThere)
  })
})
