import { z } from 'zod'

/** What a branch may say in its config file (default `.offshoot.yaml`); which parts count is the project's decision. */
export const ConfigFile = z.strictObject({
  enabled: z.boolean().optional().describe('false: no environment for this change'),
  args: z.record(z.string().min(1).max(256), z.unknown()).optional().describe('Arguments that replace the project’s'),
  images: z
    .array(z.strictObject({ image: z.string().min(1).max(1024), resultImage: z.string().min(1).max(1024) }))
    .max(100)
    .optional(),
})
export type ConfigFile = z.infer<typeof ConfigFile>
