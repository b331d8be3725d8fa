import { RE2JS } from 're2js'
import { EngineError, MissingError } from '../errors.ts'
import { type Manifest, text } from '../item.ts'
import { checkConfig } from '../project/parse.ts'
import { type FixedImage, fixedImage } from '../project/schema/project.ts'
import { holdsPlaceholder, imageOf, imagePlaceholder } from '../templating/images.ts'
import { getPath, isObject, type Json, type JsonObject } from '../values.ts'

/** One image that a template asked for, and where: what `list-images` prints. */
export interface SeenImage {
  readonly image: string
  readonly resultImage: string
  readonly deployedImage?: string
  readonly namespace: string
  readonly object: { group?: string; version?: string; kind: string; name: string; namespace?: string }
  /** `Kind/name` of the object. */
  readonly deployment: string
  /** `name` beside the field that holds the image. */
  readonly container: string
  readonly deployTags: readonly string[]
  readonly deploymentDir: string
}

/** The item an object belongs to, as far as images are concerned. */
export interface ImageScope {
  readonly tags: readonly string[]
  readonly renderedPath: string
  readonly variables: JsonObject
  /** The object as the cluster has it, for the image that is deployed now. */
  deployed?(object: Manifest): Promise<Manifest | undefined>
}

/** Puts fixed images in where `images.get_image` was called. */
export class Images {
  readonly #fixed: readonly FixedImage[]
  readonly #seen: SeenImage[] = []

  /** @param fixed of the target, then of `--fixed-images-file`, then of `--fixed-image`: later ones win */
  constructor(fixed: readonly FixedImage[]) {
    this.#fixed = fixed
  }

  /** What was asked for so far, sorted by image. */
  get seen(): readonly SeenImage[] {
    return this.#seen.toSorted((a, b) => (a.image < b.image ? -1 : a.image > b.image ? 1 : 0))
  }

  /** Replaces every placeholder of the object, in place. @throws MissingError when no fixed image matches */
  async resolve(object: Manifest, scope: ImageScope): Promise<void> {
    const found = placeholders(object)
    if (found.length === 0) return
    const current = await scope.deployed?.(object)
    for (const place of found) {
      const whole = place.value.replace(imagePlaceholder, '') === ''
      const deployed = whole ? getPath(current, place.path) : undefined
      const value = place.value.replace(imagePlaceholder, (_, packed: string) => {
        return this.#imageFor(
          imageOf(packed),
          object,
          place.container,
          typeof deployed === 'string' ? deployed : undefined,
          scope,
        )
      })
      place.set(value)
    }
  }

  #imageFor(
    image: string,
    object: Manifest,
    container: string,
    deployed: string | undefined,
    scope: ImageScope,
  ): string {
    const reference = referenceOf(object)
    const namespace = reference.namespace ?? ''
    const deployment = `${reference.kind}/${reference.name}`
    const wanted = { image, namespace, deployment, container }
    const result = match(this.#fixed, wanted) ?? match(fixedImagesOf(scope.variables), wanted)
    this.#seen.push({
      ...wanted,
      resultImage: result ?? '',
      ...(deployed === undefined ? {} : { deployedImage: deployed }),
      object: reference,
      deployTags: scope.tags,
      deploymentDir: scope.renderedPath,
    })
    if (result !== undefined) return result
    const where = container === '' ? deployment : `${deployment}, container ${container}`
    throw new MissingError(
      `failed to find fixed image for ${image} (${where}); expected one in images of the target or vars, or --fixed-image`,
    )
  }
}

interface Place {
  readonly path: (string | number)[]
  readonly value: string
  readonly container: string
  set(value: string): void
}

function placeholders(object: Manifest): Place[] {
  const found: Place[] = []
  const visit = (at: Json, path: (string | number)[], parent: Json, set: (value: string) => void): void => {
    if (typeof at === 'string') {
      if (!holdsPlaceholder(at)) return
      const name = isObject(parent) ? parent.name : undefined
      found.push({ path, value: at, container: typeof name === 'string' ? name : '', set })
    } else if (Array.isArray(at)) {
      for (const [index, inner] of at.entries()) {
        visit(inner, [...path, index], at, value => {
          at[index] = value
        })
      }
    } else if (isObject(at)) {
      for (const [key, inner] of Object.entries(at)) {
        visit(inner, [...path, key], at, value => {
          at[key] = value
        })
      }
    }
  }
  visit(object, [], null, () => undefined)
  return found
}

/** Group, version, kind, name and namespace of an object; what is empty is left out. */
export function referenceOf(object: Manifest): SeenImage['object'] {
  const [group, version] = /^(?:([^/]*)\/)?([^/]*)$/.exec(text(object.apiVersion))?.slice(1) ?? []
  const namespace = text(getPath(object, ['metadata', 'namespace']))
  return {
    ...(group ? { group } : {}),
    ...(version ? { version } : {}),
    kind: text(object.kind),
    name: text(getPath(object, ['metadata', 'name'])),
    ...(namespace === '' ? {} : { namespace }),
  }
}

/** `images` of the variables, in the same form as those of a target. @throws EngineError */
function fixedImagesOf(variables: JsonObject): FixedImage[] {
  const { images } = variables
  if (images === undefined || images === null) return []
  if (!Array.isArray(images)) throw new EngineError('failed to parse fixed images from vars: images is not a list')
  return images.map((image, index) => {
    try {
      return checkConfig(image, fixedImage)
    } catch (error) {
      const message = `failed to parse fixed image from vars at index ${index}`
      throw new EngineError(message, { cause: error })
    }
  })
}

/** The result of the last entry that matches. */
function match(
  fixed: readonly FixedImage[],
  wanted: { image: string; namespace: string; deployment: string; container: string },
): string | undefined {
  const fits = (pattern: string | undefined, value: string) => pattern === undefined || pattern === value
  return fixed.findLast(
    one =>
      fits(one.image, wanted.image) &&
      (one.imageRegex === undefined || RE2JS.compile(one.imageRegex).matcher(wanted.image).find()) &&
      fits(one.namespace, wanted.namespace) &&
      fits(one.deployment, wanted.deployment) &&
      fits(one.container, wanted.container),
  )?.resultImage
}
