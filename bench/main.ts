// npm run bench -- NAME: runs bench/NAME/main.ts. A benchmark prints a table and writes its numbers as JSON.
import { existsSync, readdirSync } from 'node:fs'

const here = new URL('./', import.meta.url)
const known = readdirSync(here).filter(name => existsSync(new URL(`${name}/main.ts`, here)))
const [name] = process.argv.slice(2)
if (name === undefined || !known.includes(name)) {
  process.stderr.write(`usage: npm run bench -- ${known.join(' | ')}\n`)
  process.exit(2)
}
await import(new URL(`${name}/main.ts`, here).href)
