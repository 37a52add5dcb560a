/** Certificates for tests of TLS. @module */
import { execFileSync } from 'node:child_process'

/** Puts a certificate authority, a server for 127.0.0.1 and clients into a folder, made by openssl. */
export function makeCertificates(folder: string): void {
  const openssl = (...parameters: string[]) =>
    execFileSync('openssl', parameters, { cwd: folder, stdio: 'ignore', timeout: 20_000 })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key']
  const make = (name: string, subject: string, ...rest: string[]) =>
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      subject,
      ...rest,
    )
  make('ca', '/CN=Test CA')
  make('server', '/CN=localhost', ...ca, '-addext', 'subjectAltName=IP:127.0.0.1')
  make(
    'elsewhere',
    '/CN=elsewhere.example',
    ...ca,
    '-addext',
    'subjectAltName=DNS:elsewhere.example',
  )
  make('sunrise', '/C=CN/O=Sunrise/CN=sunrise-gateway', ...ca)
  make('stranger', '/C=CN/O=Sunrise/CN=sunrise-gateway2', ...ca)
  make('self', '/C=CN/O=Sunrise/CN=sunrise-gateway')
}
