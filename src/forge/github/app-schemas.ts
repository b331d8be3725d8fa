import { z } from 'zod'

/**
 * What is used of GitHub's answers about Apps.
 * Source: GitHub REST API, version 2022-11-28, "GitHub Apps" and "Installations".
 */

const Permissions = z.record(z.string(), z.string())

export const AppAnswer = z.object({
  id: z.int(),
  slug: z.string().optional(),
  name: z.string(),
  html_url: z.string(),
  permissions: Permissions,
  events: z.array(z.string()),
})
export type AppAnswer = z.infer<typeof AppAnswer>

export const Installation = z.object({
  id: z.int(),
  account: z.object({ login: z.string() }).nullable(),
  html_url: z.string(),
  permissions: Permissions,
  events: z.array(z.string()),
  suspended_at: z.string().nullish(),
})
export type Installation = z.infer<typeof Installation>

export const AccessToken = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) })

export const HookConfig = z.object({ url: z.string().optional() })

/** Entries of a page; GitHub sends no more than it is asked for. */
export const pageSize = 100

export const Hooks = z.array(z.object({ id: z.int(), active: z.boolean(), config: HookConfig })).max(pageSize)

/** One attempt at a delivery. Attempts at the same event share `guid`. */
export const HookDelivery = z.object({
  /** May be beyond what a number can hold exactly; then it cannot be asked for again. */
  id: z.number(),
  guid: z.string().max(256),
  delivered_at: z.iso.datetime({ offset: true }),
  redelivery: z.boolean(),
  /** 0 if there was no answer. */
  status_code: z.int(),
  event: z.string().max(256),
  repository_id: z.int().nullish(),
})
export type HookDelivery = z.infer<typeof HookDelivery>
export const HookDeliveries = z.array(HookDelivery).max(pageSize)
