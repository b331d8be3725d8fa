import type { KubeObject } from '../../kube/types.ts'
import { timeOf } from '../api.ts'
import { nodeName } from './bootstrap.ts'
import { type Controller, change, find, itself, setStatus } from './controller.ts'

/** A pod (or the template of a workload) with this annotation set to "false" never becomes ready. */
export const readyAnnotation = 'sandbox.offshoot.dev/ready'

interface PodSpec {
  nodeName?: string
  restartPolicy?: string
  containers?: { name: string; image?: string }[]
}

/** Says of pods that they run, or that they have ended well where they are meant to end. */
export const pods: Controller = {
  concerns: (_api, storage, change) => (storage === 'pods' && change.type === 'ADDED' ? [itself(storage, change)] : []),
  reconcile: (api, { namespace, name }) => {
    const created = find(api, 'pods', namespace, name)
    if (!created || created.metadata.deletionTimestamp !== undefined) return
    const resource = api.registry.builtIn('v1', 'Pod')
    const spec = created.spec as PodSpec
    const pod = spec.nodeName ? created : change(api, resource, created, { ...created, spec: { ...spec, nodeName } })
    setStatus(api, resource, pod, statusOf(pod, timeOf(api)))
  },
}

function statusOf(pod: KubeObject, time: string): object {
  const { containers = [], restartPolicy } = pod.spec as PodSpec
  const ends = restartPolicy === 'Never' || restartPolicy === 'OnFailure'
  const broken = pod.metadata.annotations?.[readyAnnotation] === 'false'
  const ready = !broken && !ends
  const state = broken
    ? { waiting: { reason: 'CrashLoopBackOff', message: `${readyAnnotation} is "false"` } }
    : ends
      ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time } }
      : { running: { startedAt: time } }
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: time,
    ...(holds ? {} : { reason: ends && !broken ? 'PodCompleted' : 'ContainersNotReady' }),
  })
  return {
    phase: broken ? 'Pending' : ends ? 'Succeeded' : 'Running',
    qosClass: (pod.status as { qosClass?: string } | undefined)?.qosClass ?? 'BestEffort',
    startTime: time,
    hostIP: '127.0.0.1',
    podIP: '127.0.0.1',
    conditions: [
      condition('Initialized', true),
      condition('Ready', ready),
      condition('ContainersReady', ready),
      condition('PodScheduled', true),
    ],
    containerStatuses: containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: image,
      ready,
      started: ready,
      restartCount: 0,
      state,
    })),
  }
}
