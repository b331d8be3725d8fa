import type { Logger } from './log.ts'

const nothing = (): void => undefined

/** A logger that says nothing: for tests, and for commands whose output is their progress. */
export const silentLogger: Logger = {
  level: 'silent',
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
}
