import type { Command, Option } from 'commander'
import { EngineError } from '../engine/errors.ts'

/** Commands of kluctl that have commands below them. */
const kluctlGroups = new Set(['oci'])

/**
 * Lets a program be called as kluctl is: flags may stand before the command, and those that need no value may have one
 * (`--dry-run=true`, `--write-command-result=false`). Gives the arguments as commander reads them.
 */
export function kluctlArguments(root: Command, args: readonly string[]): string[] {
  const at = commandAt(root, args)
  const name = args[at]
  const command = root.commands.find(one => one.name() === name)
  // Commands that are not kluctl's are left as they are.
  if (command === undefined || name === undefined) return [...args]
  const rest = [...args.slice(0, at), ...args.slice(at + 1)]
  if (kluctlGroups.has(name)) return [name, ...kluctlArguments(command, rest)]
  if (command.commands.length > 0) return [...args]
  const end = rest.indexOf('--')
  const flags = end < 0 ? rest : rest.slice(0, end)
  const off = new Map<Option, boolean>()
  const kept = flags.filter(flag => {
    const [, long, value] = /^(--[a-z][a-z0-9-]*)=(.*)$/s.exec(flag) ?? []
    const option = command.options.find(one => one.long === long)
    if (option === undefined || value === undefined || !isSwitch(option)) return true
    off.set(option, parseBoolean(value, option))
    return false
  })
  for (const [option, value] of off) if (value && option.long) kept.push(option.long)
  command.hook('preAction', () => {
    for (const [option, value] of off) {
      if (!value) command.setOptionValueWithSource(option.attributeName(), option.negate, 'cli')
    }
  })
  return [name, ...kept, ...(end < 0 ? [] : rest.slice(end))]
}

/** Where the command stands: the first argument that is neither a flag nor a flag's value. */
function commandAt(root: Command, args: readonly string[]): number {
  const groups = root.commands.filter(command => kluctlGroups.has(command.name()))
  const options = [root, ...groups].flatMap(({ commands }) => commands).flatMap(command => command.options)
  const takesValue = (flag: string) => {
    const option = options.find(({ long, short }) => long === flag || short === flag)
    return option === undefined || !isSwitch(option)
  }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') return -1
    if (!arg.startsWith('-')) return at
    const alone = arg.startsWith('--') ? !arg.includes('=') : arg.length === 2
    if (alone && !['--help', '-h'].includes(arg) && takesValue(arg)) at++
  }
  return -1
}

const words: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  True: true,
  TRUE: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  False: false,
  FALSE: false,
}

/** Whether an option stands alone, without a value. */
export function isSwitch(option: Option): boolean {
  return option.isBoolean() || option.negate
}

/** Yes or no in Go's words. @throws EngineError naming the flag */
export function parseBoolean(text: string, option: Option): boolean {
  const value = words[text]
  if (value === undefined)
    throw new EngineError(`invalid value ${JSON.stringify(text)} of ${option.long}: true or false`)
  return value
}
