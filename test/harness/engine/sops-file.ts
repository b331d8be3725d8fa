import { createCipheriv, createHash, randomBytes } from 'node:crypto'

/** A YAML file with one encrypted value `a`, whose data key the given metadata opens. */
export function sopsFile(dataKey: Uint8Array, value: string, recipients: Record<string, unknown>): Buffer {
  const lastmodified = '2026-01-02T03:04:05Z'
  const mac = createHash('sha512').update(value).digest('hex').toUpperCase()
  const file = {
    a: encrypt(dataKey, value, 'a:'),
    sops: { ...recipients, lastmodified, mac: encrypt(dataKey, mac, lastmodified), version: '3.11.0' },
  }
  return Buffer.from(JSON.stringify(file))
}

function encrypt(key: Uint8Array, value: string, additional: string): string {
  const iv = randomBytes(32)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(additional))
  const data = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]).toString('base64')
  return `ENC[AES256_GCM,data:${data},iv:${iv.toString('base64')},tag:${cipher.getAuthTag().toString('base64')},type:str]`
}
