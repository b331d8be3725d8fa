const word = /^[A-Za-z_/$(][^\t\n]*$/
const special = /^(?:true|false|null)$/i
const integer = /^-?(?:0|[1-9][0-9]{0,14})$/
const decimal = /^-?(?:0|[1-9][0-9]{0,7})\.[0-9]{1,6}$/
const quantity = /^[0-9]+(?:\.[0-9]+)?(?:m|k|Ki|M|Mi|G|Gi|T|Ti|s|h|ms|%)$/
const dotted = /^[0-9]+\.[0-9]+\.[0-9]+[\w.-]*(?:\/[0-9]+)?$/

/** What a plain scalar means to Kustomize, or undefined where that is not beyond doubt. */
export function plainScalar(text: string): { value: null | boolean | number | string } | undefined {
  switch (text) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return { value: null }
    case 'true':
    case 'True':
    case 'TRUE':
      return { value: true }
    case 'false':
    case 'False':
    case 'FALSE':
      return { value: false }
  }
  if (integer.test(text)) return { value: Number(text) + 0 }
  // Go writes a negative zero as one.
  if (decimal.test(text)) return /^-0\.0+$/.test(text) ? undefined : { value: Number(text) }
  if (word.test(text) || quantity.test(text) || dotted.test(text)) {
    return special.test(text) ? undefined : { value: text }
  }
  return undefined
}
