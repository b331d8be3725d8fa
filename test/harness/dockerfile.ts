/** One instruction, such as `COPY --from=build /a /b`. */
export interface Instruction {
  verb: string
  /** Flags such as `--from=build`, as name to value. */
  flags: Record<string, string>
  /** What follows the flags; the words of an exec form, where it is one. */
  words: string[]
  text: string
}

/** A stage: its instructions from FROM on. */
export interface Stage {
  name: string
  base: string
  instructions: Instruction[]
}

/** The stages of a Dockerfile. Instructions before the first FROM (global ARGs) give their defaults to the bases. */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = []
  const defaults: Record<string, string> = {}
  for (const instruction of instructions(text)) {
    const { verb, words } = instruction
    const last = stages.at(-1)
    if (verb === 'FROM') {
      const [base = '', as, name = ''] = words
      const known = base.replaceAll(/\$\{(\w+)\}/g, (whole, key: string) => defaults[key] ?? whole)
      stages.push({ name: as === 'AS' ? name : '', base: known, instructions: [instruction] })
    } else if (last === undefined) {
      const [key = '', value = ''] = (words[0] ?? '').split('=')
      defaults[key] = value
    } else last.instructions.push(instruction)
  }
  return stages
}

function instructions(text: string): Instruction[] {
  const lines = text.split('\n').filter(line => !/^\s*#/.test(line))
  const whole = lines.join('\n').replaceAll(/\\\n\s*/g, ' ')
  return whole
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(instruction)
}

function instruction(line: string): Instruction {
  const [, verb = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
  const flags: Record<string, string> = {}
  const text = rest.replace(/^(?:--[\w-]+=\S+\s+)+/, given => {
    for (const [, name = '', value = ''] of given.matchAll(/--([\w-]+)=(\S+)/g)) flags[name] = value
    return ''
  })
  const words = text.startsWith('[') ? (JSON.parse(text) as string[]) : text.split(/\s+/)
  return { verb, flags, words, text }
}

/** Paths of the context that a .dockerignore of the form "nothing but" leaves: `*` first, then `!path` lines. */
export function allowedContext(text: string): string[] {
  const [first, ...others] = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  if (first !== '*' || others.some(line => !/^![\w./-]+$/.test(line)))
    throw new Error('expected * and then !path lines')
  return others.map(line => line.slice(1))
}
