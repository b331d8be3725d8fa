import type { z } from 'zod'
import { anyMap, anyValue, goString, list, requiredString, strings, struct } from './go.ts'

const objectRef = struct({
  group: goString.optional(),
  version: goString.optional(),
  kind: goString.optional(),
  name: goString.optional(),
  namespace: goString.optional(),
})

/** One entry of `images`: what to put in for `images.get_image`. */
export const fixedImage = struct({
  image: goString.optional(),
  imageRegex: goString.optional(),
  resultImage: requiredString,
  deployedImage: goString.optional(),
  namespace: goString.optional(),
  object: objectRef.optional(),
  deployment: goString.optional(),
  container: goString.optional(),
  deployTags: strings.optional(),
  deploymentDir: goString.optional(),
}).superRefine(({ image, imageRegex }, context) => {
  if ((image === undefined) === (imageRegex === undefined)) {
    const message =
      image === undefined ? 'one of image or imageRegex must be set' : 'only one of image or imageRegex can be set'
    context.addIssue({ code: 'custom', path: ['image'], message })
  }
})
export type FixedImage = z.output<typeof fixedImage>

/** A file of fixed images, as `list-images` writes it. */
export const fixedImagesFile = struct({ images: list(fixedImage).optional() })

/** `aws` of a project or target. */
export const awsConfig = struct({
  profile: goString.optional(),
  serviceAccount: struct({ name: goString.default(''), namespace: goString.default('') }).optional(),
})

/** One entry of `targets`. */
export const target = struct({
  name: goString.default(''),
  context: goString.optional(),
  args: anyMap.optional(),
  aws: awsConfig.optional(),
  images: list(fixedImage).optional(),
  discriminator: goString.optional(),
})
export type TargetConfig = z.output<typeof target>

/** One entry of `args`. */
export const argument = struct({ name: requiredString, default: anyValue.optional() })
export type Argument = z.output<typeof argument>

/** `.kluctl.yaml` (kluctl, docs/kluctl/kluctl-project). */
export const kluctlProject = struct({
  targets: list(target).optional(),
  args: list(argument).optional(),
  discriminator: goString.optional(),
  aws: awsConfig.optional(),
})
export type ProjectConfig = z.output<typeof kluctlProject>

/** `.kluctl-library.yaml` (kluctl, docs/kluctl/kluctl-libraries). */
export const kluctlLibrary = struct({ args: list(argument).optional() })
export type LibraryConfig = z.output<typeof kluctlLibrary>
