export { parseYaml, readYaml, readYamlAll, readYamlObject, YamlError, type YamlText } from './yaml/read.ts'
export { formatFloat32, resolvePlain } from './yaml/resolve.ts'
export { writeYaml, writeYamlAll } from './yaml/write.ts'
