import type { EngineHost } from '../host.ts'
import { emptyObject, type JsonObject } from '../values.ts'
import { type RenderFlags, withRenderedTarget } from './run.ts'

/** Every image that templates of the target ask for, in the form that `--fixed-images-file` reads. @throws EngineError */
export async function listImages(
  host: EngineHost,
  flags: RenderFlags & { readonly simple?: boolean | undefined },
  signal: AbortSignal,
): Promise<JsonObject> {
  return withRenderedTarget(host, flags, signal, ({ images }) => {
    if (images.length === 0) return emptyObject()
    const entries = images.map(image => {
      const { image: name, resultImage } = image
      return Object.assign(emptyObject(), flags.simple === true ? { image: name, resultImage } : image) as JsonObject
    })
    return Object.assign(emptyObject(), { images: entries })
  })
}
