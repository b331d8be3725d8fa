import { type Logger as PinoLogger, pino } from 'pino'

export { silentLogger } from './silent-log.ts'

/** Structured log: messages are constant strings, facts are fields. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'level'> & {
  child(fields: Record<string, unknown>): Logger
}

/** Field names whose values never reach a log line. */
const redacted = ['token', 'authorization', 'webhookSecret', 'password', 'secret', 'headers.authorization']

/** A JSON logger on the given file descriptor (default standard error). */
export function createLogger(level = 'info', destination = 2): Logger {
  const paths = redacted.flatMap(name => [name, `*.${name}`])
  return pino({ level, redact: { paths, censor: '[redacted]' } }, pino.destination(destination))
}
