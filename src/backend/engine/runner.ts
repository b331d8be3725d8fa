import { KubeError } from '../../kube/errors.ts'
import type { EngineServices } from '../engine.ts'
import { settleJobs } from './jobs.ts'
import { type JobRunnerOptions, jobRunner } from './run-job.ts'

/** Carries each run out where its project says: here, or in a Job. Either ends what the other has begun first. */
export function runnerOf(inline: EngineServices['carryOut'], options: JobRunnerOptions): EngineServices['carryOut'] {
  const inJob = jobRunner(options)
  return async (request, signal, controls) => {
    if (request.desired.runner === 'job') return inJob(request, signal, controls)
    try {
      await settleJobs(options, { ...request, digest: '' }, controls.step, signal)
    } catch (error) {
      // Where it may not look at Jobs it has made none.
      if (!(error instanceof KubeError && error.isForbidden)) throw error
    }
    return inline(request, signal, controls)
  }
}
