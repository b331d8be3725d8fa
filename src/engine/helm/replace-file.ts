import { randomUUID } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'

/** Replaces a file's content at once; its mode stays. A failure leaves the old content. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const { mode } = await stat(file)
  const half = `${file}.${randomUUID()}`
  try {
    await writeFile(half, text, { mode })
    await rename(half, file)
  } finally {
    await rm(half, { force: true })
  }
}
