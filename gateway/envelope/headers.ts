/**
 * `X-Ca-Key`, `X-Ca-Timestamp`, `X-Ca-Nonce`, `X-Ca-Signature` and `Content-MD5`: the signature over
 * a request's head that Chinese API gateways ask for. @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Head } from '../http/headers.ts'
import type { HeadersConfig } from './config.ts'
import type { Freshness } from './fresh.ts'
import { readSecret } from './keys.ts'
import { contentMd5 } from './sign.ts'

/** What the signature covers besides header fields; the path as on the wire, query included. */
export interface Line {
  readonly method: string
  readonly path: string
}

/** Signs and verifies heads. */
export interface HeadSignature {
  /** @throws {Error} when it does not verify. @throws {Problem} of the window. */
  verify(line: Line, head: Head, body: Uint8Array): void
  /** @param head what goes out: `accept` and `content-type` are covered. */
  sign(line: Line, head: Head, body: Uint8Array): readonly (readonly [string, string])[]
}

/** Fields that the signature must cover, in the order in which it covers them. */
const SIGNED = ['x-ca-key', 'x-ca-nonce', 'x-ca-timestamp'] as const
/** Fields with a place of their own in the signed text. */
const PLACED = new Set(['accept', 'content-md5', 'content-type', 'date', 'x-ca-signature', 'x-ca-signature-headers']) // prettier-ignore

/** Opens the secret. */
export function openHeadSignature(config: HeadersConfig, fresh: Freshness): HeadSignature {
  const secret = readSecret(readFileSync(config.key, 'utf8'))
  const mac = (text: string) => createHmac('sha256', secret).update(text).digest()
  return {
    verify: (line, head, body) => {
      const names = (head.get('x-ca-signature-headers') ?? '')
        .split(',')
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== '' && !PLACED.has(name))
      const want = mac(signedText(line, head, names))
      const got = Buffer.from(head.get('x-ca-signature') ?? '', 'base64')
      const isMade = want.length === got.length && timingSafeEqual(want, got)
      if (!isMade || want.toString('base64') !== head.get('x-ca-signature')) {
        throw new Error('the signature does not verify')
      }
      // Covered now, but what must be covered was the caller's choice.
      if (SIGNED.some((name) => !names.includes(name))) throw new Error('a field is not signed')
      if (head.get('x-ca-key') !== config.id) throw new Error('the key is another')
      const digest = head.get('content-md5')
      const isWhole = body.length === 0 ? digest === undefined : digest === contentMd5(body)
      if (!isWhole) throw new Error('`content-md5` does not fit the body')
      fresh.check(head.get('x-ca-timestamp') ?? '', head.get('x-ca-nonce') ?? '')
    },
    sign: (line, head, body) => {
      const { timestamp, nonce } = fresh.stamp()
      const fields = new Map(head)
      if (body.length > 0) fields.set('content-md5', contentMd5(body))
      fields.set('x-ca-key', config.id).set('x-ca-nonce', nonce).set('x-ca-timestamp', timestamp)
      const signature = mac(signedText(line, fields, SIGNED)).toString('base64')
      return [
        ...[...fields].filter(([name]) => name === 'content-md5' || name.startsWith('x-ca-')),
        ['x-ca-signature-headers', SIGNED.join(',')],
        ['x-ca-signature', signature],
      ]
    },
  }
}

/** The text: each part in a line of its own, fields that are absent as empty lines. */
function signedText({ method, path }: Line, head: Head, names: readonly string[]): string {
  const placed = ['accept', 'content-md5', 'content-type', 'date'].map(
    (name) => head.get(name) ?? '',
  )
  const signed = names.toSorted().map((name) => `${name}:${head.get(name) ?? ''}`)
  return [method, ...placed, ...signed, signedPath(path)].join('\n')
}

/** The query's parameters decoded and sorted by name, as those gateways rebuild it. */
function signedPath(raw: string): string {
  const start = raw.indexOf('?')
  if (start === -1) return raw
  const parameters = [...new URLSearchParams(raw.slice(start + 1))].toSorted(([a], [b]) =>
    a === b ? 0 : a < b ? -1 : 1,
  )
  const text = parameters.map(([name, value]) => (value === '' ? name : `${name}=${value}`))
  return raw.slice(0, start) + (text.length === 0 ? '' : `?${text.join('&')}`)
}
