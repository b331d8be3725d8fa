export { aHouse, HouseBuilder } from './house-builder.ts'
export { House, type ProjectOptions } from './house-model.ts'
