import type { MethodTable } from './method.ts'
export const bytesMethods: MethodTable = new Map()
