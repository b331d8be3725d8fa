// Must come first: @peculiar/x509 needs the polyfill at load.
import 'reflect-metadata'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key as PEM. */
export interface KeyPair {
  certificate: string
  key: string
}

/** Everything that one control plane needs. */
export interface Certificates {
  ca: KeyPair
  server: KeyPair
  admin: KeyPair
  controllerManager: KeyPair
  /** RSA pair that signs and verifies ServiceAccount tokens. */
  serviceAccounts: { privateKey: string; publicKey: string }
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 24 * 60 * 60 * 1000

interface Issuer {
  name: string
  keys: webcrypto.CryptoKeyPair
}

/** Makes a certificate authority of its own for one control plane; valid for a week. */
export async function createCertificates(): Promise<Certificates> {
  x509.cryptoProvider.set(webcrypto)
  const authority: Issuer = { name: 'CN=offshoot-test-ca', keys: await generateKeys() }
  const ca = await issue(authority, authority.name, authority.keys, [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(
      x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
      true,
    ),
  ])
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const server = await issue(authority, 'CN=kube-apiserver', await generateKeys(), [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...names.map(value => ({ type: 'dns' as const, value })),
      ...['127.0.0.1', '10.96.0.1'].map(value => ({ type: 'ip' as const, value })),
    ]),
  ])
  return {
    ca,
    server,
    admin: await issueClient(authority, 'CN=admin,O=system:masters'),
    controllerManager: await issueClient(authority, 'CN=system:kube-controller-manager'),
    serviceAccounts: generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }),
  }
}

async function issueClient(authority: Issuer, subject: string): Promise<KeyPair> {
  return issue(authority, subject, await generateKeys(), [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])
}

async function issue(
  authority: Issuer,
  subject: string,
  keys: webcrypto.CryptoKeyPair,
  extensions: x509.Extension[],
): Promise<KeyPair> {
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: authority.name,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 7 * day),
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions,
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') }
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}
