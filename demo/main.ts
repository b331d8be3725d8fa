import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/util/errors.ts'
import { jsonScreen, type Screen, textScreen } from './screen.ts'
import { Stage } from './stage.ts'
import { type Step, story } from './story.ts'
import { tryIt } from './try-it.ts'

const usage = 'usage: npm run demo [-- --real] [-- --once] [-- --output text|json]'

/** What the command line asks for. @throws TypeError for anything unknown */
function readArguments(): { real: boolean; once: boolean; output: 'text' | 'json' } {
  const boolean = { type: 'boolean' } as const
  const options = { real: boolean, once: boolean, output: { type: 'string', short: 'o' } } as const
  const { values } = parseArgs({ options, strict: true, allowPositionals: false })
  const { real = false, once: ends = false, output = 'text' } = values
  if (output !== 'text' && output !== 'json') throw new TypeError(`--output: expected text or json, not ${output}`)
  return { real, once: ends, output }
}

/** Runs the steps until one fails; gives whether all were shown. */
async function play(steps: Step[], screen: Screen, signal: AbortSignal): Promise<boolean> {
  for (const step of steps) {
    const { name, title } = step
    if (signal.aborted) return false
    screen.begin(title)
    const start = performance.now()
    const result = (ok: boolean, detail: string) =>
      screen.end({ step: name, title, ok, milliseconds: Math.round(performance.now() - start), detail })
    try {
      result(true, await step.run())
    } catch (error) {
      if (signal.aborted) return false
      result(false, messageOf(error))
      return false
    }
  }
  return true
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>
  try {
    options = readArguments()
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${usage}\n`)
    return 2
  }
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort(new DOMException('the demo was ended', 'AbortError'))
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  const screen =
    options.output === 'json' ? jsonScreen(process.stdout, process.stderr) : textScreen(process.stdout, process.env)
  const stage = new Stage(stop.signal, options.real, line => screen.say(line))
  try {
    const ok = await play(story(stage, stop.signal), screen, stop.signal)
    screen.close()
    if (!ok && !stop.signal.aborted && stage.log.length > 0) {
      process.stderr.write(`Offshoot’s log: ${await stage.saveLog()}\n`)
    }
    if (ok && !options.once) {
      for (const line of await tryIt(stage)) screen.say(line)
      const staying = setInterval(() => undefined, 2 ** 30)
      if (!stop.signal.aborted) await once(stop.signal, 'abort')
      clearInterval(staying)
      return 0
    }
    return ok ? 0 : stop.signal.aborted ? 130 : 1
  } finally {
    await stage.clear()
  }
}

process.exitCode = await main()
