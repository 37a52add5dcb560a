/** Callers that present a client certificate. The TLS layer has checked its chain. @module */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** What identifies a certificate. */
export interface PeerCertificate {
  /** RDNs joined by commas, in certificate order; a comma inside a value is escaped. */
  readonly subject: string
  /** SHA-256 over the DER, base64url. */
  readonly fingerprint: string
}

const known = new WeakMap<Socket, PeerCertificate>()

/** The verified client certificate of a connection, if there is one. */
export function peerCertificate(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const earlier = known.get(socket)
  if (earlier !== undefined) return earlier
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const made = describe(certificate)
  known.set(socket, made)
  return made
}

function describe(certificate: X509Certificate): PeerCertificate {
  return {
    // One RDN per line; node escapes commas and line ends inside values.
    subject: certificate.subject.split('\n').join(','),
    fingerprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString(
      'base64url',
    ),
  }
}

/** Compares a configured subject with a certificate's, in certificate order or in RFC 4514 order. */
export function sameSubject(configured: string, subject: string): boolean {
  const wanted = splitNames(configured)
  const got = splitNames(subject)
  const same = (list: readonly string[]) =>
    list.length === got.length && list.every((name, i) => name === got[i])
  return same(wanted) || same(wanted.toReversed())
}

function splitNames(subject: string): readonly string[] {
  return subject.split(/(?<!\\),\s*/)
}
