import { ForgeError } from '../errors.ts'

/** How requests are sent: a redirect is an answer, and bodies are read whole, up to a cap. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>

/**
 * A `fetch` that never follows redirects (the token would follow them, and a renamed repository would go unnoticed)
 * and refuses bodies over `maxBytes`.
 * @throws ForgeError `tooLarge`
 */
export function cappedFetch(maxBytes: number): Fetch {
  return async (url, options) => {
    const response = await fetch(url, { ...options, redirect: 'manual' })
    const body = await readCapped(response, maxBytes)
    const { status, statusText, headers } = response
    // A status without a body (204, 304) must have none here either.
    return new Response(body.length === 0 ? null : body, { status, statusText, headers })
  }
}

async function readCapped(response: Response, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    // Leaving the loop cancels the stream and gives the connection back.
    if (size > maxBytes) throw new ForgeError('tooLarge', `the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
