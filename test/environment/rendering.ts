import type { ChangeFacts } from '../../src/api/index.ts'
import type { DesiredKluctlDeployment } from '../../src/environment/desired.ts'
import { type RenderInput, renderDesired } from '../../src/environment/render.ts'
import { formatProblem, InvalidInputError } from '../../src/util/errors.ts'
import { projectOf, pullRequest } from './builders.ts'

/** `deploy` of a project by kluctlDeployment. */
export const kluctl = (fields: object) => ({ deploy: { kluctlDeployment: fields } })

/** `deploy` of a project by objects. */
export const objects = (...manifests: object[]) => ({ deploy: { objects: { manifests } } })

export const configMap = (data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  data,
})

/** Renders a project with the given `spec` for a change. */
export const render = (spec: object, facts: ChangeFacts = pullRequest(42), rest: Partial<RenderInput> = {}) =>
  renderDesired({ project: projectOf(spec as Record<string, unknown>), facts, ...rest })

/** The rendered args of a project with the given ones. */
export const argsOf = (args: object, facts?: ChangeFacts, rest?: Partial<RenderInput>) =>
  (render(kluctl({ args }), facts, rest).backend as DesiredKluctlDeployment).args

/** The problems that a call is refused with. */
export const problemsOf = (run: () => unknown): string[] => {
  try {
    run()
    return []
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem)
    throw error
  }
}

export const argProblems = (text: string, facts?: ChangeFacts) => problemsOf(() => argsOf({ x: text }, facts))
