import { describe, expect, it, vi } from 'vitest'
import { JobPod } from '../../src/backend/engine/job-pod.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import { type RenderedDeployment, renderChart, rendered, settingsIn } from '../harness/helm.ts'

// Each test starts helm, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

describe('the pods of the controller', () => {
  const settingsOf = async (values: Record<string, unknown>) =>
    parseServeSettings(settingsIn(rendered<RenderedDeployment>(await renderChart({ values }), 'Deployment')), {})

  it('give the Jobs what they know: proxies, image pull secrets, nodes, user and resources', async () => {
    const { runnerImage, runnerPod } = await settingsOf({})
    expect(runnerImage).toContain('offshoot:')
    expect(runnerPod).toEqual({
      ...JobPod.parse({ imagePullPolicy: 'IfNotPresent' }),
      securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
    })
    const password = { secretKeyRef: { name: 'proxy', key: 'password' } }
    const values = {
      imagePullSecrets: [{ name: 'pull' }],
      'image.pullPolicy': 'Always',
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      runAsUser: null,
      'controller.extraEnv': [
        { name: 'HTTPS_PROXY', value: 'http://"quoted".example.com:3128' },
        { name: 'no_proxy', value: 'a,<b>' },
        { name: 'HTTP_PROXY', value: 'http://$(PASSWORD)@proxy.example.com' },
        { name: 'ALL_PROXY', valueFrom: password },
        { name: 'PASSWORD', value: 'hunter2' },
      ],
      'jobs.extraEnv': [{ name: 'LANG', value: 'costs $(1)' }],
      'jobs.resources': { requests: { cpu: 1 }, limits: { memory: '8Gi' } },
    }
    expect((await settingsOf(values)).runnerPod).toEqual({
      env: [
        { name: 'HTTPS_PROXY', value: 'http://"quoted".example.com:3128' },
        // The kubelet makes `$(1)` of it.
        { name: 'LANG', value: 'costs $$(1)' },
        { name: 'no_proxy', value: 'a,<b>' },
      ],
      imagePullPolicy: 'Always',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      securityContext: {},
      resources: { requests: { cpu: '1', memory: '256Mi' }, limits: { cpu: '2', memory: '8Gi' } },
    })
  })
})
