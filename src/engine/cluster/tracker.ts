import type { Progress, Tracker } from '../host.ts'

/** Follows one of many steps: by the progress itself where it can, else by lines that begin with the step's name. */
export function track(progress: Progress, name: string | undefined, total: number): Tracker {
  // Items without a name have nothing to do that anybody wants to see.
  if (name === undefined)
    return { update: () => undefined, line: () => undefined, advance: () => undefined, end: () => undefined }
  const own = progress.track?.(name, total)
  if (own !== undefined) return own
  const end = progress.start(name)
  const line = (what: string) => progress.info(`${name}: ${what}`)
  return {
    update: () => undefined,
    line,
    advance: () => undefined,
    end(outcome, summary) {
      line(summary)
      end(outcome)
    },
  }
}
