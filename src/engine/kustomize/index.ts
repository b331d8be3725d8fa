export { createKustomize, type KustomizeOptions } from './build.ts'
