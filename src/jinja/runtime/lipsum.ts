import { capitalize } from '../methods/case.ts'
import { needInt } from '../methods/define.ts'
import { bindArguments } from '../methods/method.ts'
import { escapeText } from '../python/escape.ts'
import { truth } from '../python/truth.ts'
import { type ContextView, type Kwargs, Markup, type Value } from '../values.ts'
import type { Context } from './context.ts'

const words =
  `lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna
  aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat duis aute
  irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint occaecat cupidatat non
  proident sunt culpa qui officia deserunt mollit anim id est laborum`.split(/\s+/)

/** `lipsum(n=5, html=True, min=20, max=100)`: paragraphs of filler text. */
export function lipsum(view: ContextView, args: Value[], kwargs: Kwargs): Value {
  const context = view as Context
  const [n = 5, html = true, min = 20, max = 100] = bindArguments(
    'generate_lorem_ipsum',
    ['n', 'html', 'min', 'max'],
    0,
    args,
    kwargs,
  )
  const paragraphs: string[] = []
  for (let count = needInt(n); count > 0; count--) paragraphs.push(paragraph(context, needInt(min), needInt(max)))
  if (!truth(html)) return paragraphs.join('\n\n')
  return new Markup(paragraphs.map(text => `<p>${escapeText(text)}</p>`).join('\n'))
}

function paragraph(context: Context, min: number, max: number): string {
  const { engine } = context
  const count = min + Math.floor(engine.random() * Math.max(1, max - min))
  context.allocate(count * 12)
  const chosen: string[] = []
  let sentenceLength = 0
  for (let index = 0; index < count; index++) {
    context.step(1)
    let word = words[Math.floor(engine.random() * words.length)] ?? 'lorem'
    if (sentenceLength === 0) word = capitalize(word)
    sentenceLength++
    const ends = index === count - 1 || (sentenceLength > 5 && engine.random() < 0.15)
    if (ends) {
      word += '.'
      sentenceLength = 0
    } else if (sentenceLength > 3 && engine.random() < 0.1) word += ','
    chosen.push(word)
  }
  return chosen.join(' ')
}
