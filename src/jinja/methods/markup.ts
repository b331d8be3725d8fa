import type { MethodTable } from './method.ts'
export const markupMethods: MethodTable = new Map()
