/** The parts of an envelope in sealgate.yaml that hold keys. @module */
import { type Fields, oneOf, openMap, type Reader, textOf } from '../base/shape.ts'
import { readableFile, secretFile } from './config-files.ts'
import { CIPHER_NAMES, cipherType } from './envelope/block-cipher.ts'
import type {
  CipherConfig,
  HeadersConfig,
  JoseConfig,
  KeyFiles,
  SignConfig,
  WrapConfig,
} from './envelope/config.ts'
import { JWE_ALGORITHMS, JWE_ENCRYPTIONS, JWS_ALGORITHMS, secretSize } from './envelope/jose.ts'
import {
  readJwkPrivate,
  readJwkPublic,
  readRsaPrivate,
  readRsaPublic,
  readSecret,
  readSm2Private,
  readSm2Public,
} from './envelope/keys.ts'
import { SIGN_TYPES } from './envelope/sign.ts'
import { WRAP_NAMES } from './envelope/wrap.ts'

/** Member names, as partners choose them. */
export const MEMBER = /^[A-Za-z][\w.-]{0,63}$/
/** How to write one. */
export const MEMBER_HELP = 'use letters, digits, `_`, `.` and `-`'
const member = textOf('a member name', MEMBER, MEMBER_HELP)
const encoding = oneOf('an encoding', ['base64', 'base64url', 'hex'])

/** What our and their key files hold, and how each is checked. */
// prettier-ignore
const PAIRS = {
  rsa: { ours: ['an RSA private key in PEM, 2048 bits or more', readRsaPrivate], theirs: ['an RSA public key in PEM, 2048 bits or more', readRsaPublic] },
  sm2: { ours: ['an SM2 private key in PEM (PKCS#8)', readSm2Private],           theirs: ['an SM2 public key in PEM', readSm2Public] },
  jwk: { ours: ['a private JWK', readJwkPrivate],                                theirs: ['a public JWK', readJwkPublic] },
} as const

function takeSecret(fields: Fields, folder: string, name: string, size?: number): string {
  const bytes = size === undefined ? '16 bytes or more' : `${size} bytes`
  const what = `a secret of ${bytes}, as \`hex:…\`, \`base64:…\` or \`text:…\``
  return fields.need(
    name,
    secretFile(folder, what, (text) => void readSecret(text, size)),
  )
}

function takePair(fields: Fields, folder: string, type: keyof typeof PAIRS) {
  const { ours, theirs } = PAIRS[type]
  return {
    ours: fields.need(
      'ours',
      secretFile(folder, ours[0], (text) => void ours[1](text)),
    ),
    theirs: fields.need(
      'theirs',
      readableFile(folder, theirs[0], (text) => void theirs[1](text)),
    ),
  }
}

/** `cipher: { algorithm, encoding, iv, key | wrap }` */
export function readCipher(folder: string): Reader<CipherConfig> {
  return (node, report) => {
    const fields = openMap(node, report, '`cipher`')
    const algorithm = fields.need('algorithm', oneOf('a cipher', wordsOf(CIPHER_NAMES)))
    const { keyBytes, ivBytes } = cipherType(algorithm)
    const iv = fields.take('iv', readIv(folder, ivBytes)) ?? { place: 'prefix' as const }
    const ivAt = fields.map.entries.get('iv')?.value.at ?? node.at
    if (algorithm.endsWith('-gcm') && (iv.place === 'zero' || iv.place === 'fixed')) {
      const help = 'write `iv: prefix`; a nonce used twice gives the key of the authentication away'
      report.error(ivAt, '`gcm` needs a fresh nonce for each message', help)
    }
    if (algorithm.endsWith('-ecb') && iv.place !== 'prefix') {
      report.error(ivAt, '`ecb` has no initialisation vector', 'remove `iv`')
    }
    const wrap = fields.take('wrap', readWrap(folder))
    const cipher: CipherConfig = {
      algorithm,
      encoding: fields.take('encoding', encoding) ?? 'base64',
      iv,
      key:
        wrap === undefined
          ? { from: 'file', file: takeSecret(fields, folder, 'key', keyBytes) }
          : { from: 'wrap', wrap },
    }
    fields.close()
    return cipher
  }
}

/** `prefix`, `zero`, `{ member: … }` or `{ fixed: file }`. */
function readIv(folder: string, size: number): Reader<CipherConfig['iv']> {
  return (node, report) => {
    if (node.node !== 'map') return { place: oneOf('a place', ['prefix', 'zero'])(node, report) }
    const fields = openMap(node, report, '`iv`')
    const name = fields.take('member', member)
    const iv =
      name === undefined
        ? { place: 'fixed' as const, file: takeSecret(fields, folder, 'fixed', size) }
        : { place: 'member' as const, member: name }
    fields.close()
    return iv
  }
}

function readWrap(folder: string): Reader<WrapConfig> {
  return (node, report) => {
    const fields = openMap(node, report, '`wrap`')
    const algorithm = fields.need('algorithm', oneOf('a key wrap', wordsOf(WRAP_NAMES)))
    const wrap = {
      algorithm,
      member: fields.need('member', member),
      sm2: fields.take('form', oneOf('a form of SM2', ['der', 'c1c3c2', 'c1c2c3'])) ?? 'c1c3c2',
      ...takePair(fields, folder, algorithm === 'sm2' ? 'sm2' : 'rsa'),
    }
    fields.close()
    return wrap
  }
}

/** `sign: { algorithm, member, over, encoding, key | ours, theirs }` */
export function readSign(folder: string): Reader<SignConfig> {
  return (node, report) => {
    const fields = openMap(node, report, '`sign`')
    const names = Object.keys(SIGN_TYPES) as (keyof typeof SIGN_TYPES)[]
    const algorithm = fields.need('algorithm', oneOf('a signature', ['hmac-sha256', ...names]))
    const type = SIGN_TYPES[algorithm]
    const sign = {
      algorithm,
      member: fields.need('member', member),
      encoding: fields.take('encoding', encoding) ?? ('base64' as const),
      over: fields.need('over', oneOf('what is signed', ['sorted', 'data'])),
      keys:
        type === 'shared'
          ? { key: takeSecret(fields, folder, 'key') }
          : takePair(fields, folder, type),
    }
    fields.close()
    return sign
  }
}

/** `headers: { scheme: x-ca, id, key }` */
export function readHeaders(folder: string): Reader<HeadersConfig> {
  return (node, report) => {
    const fields = openMap(node, report, '`headers`')
    fields.need('scheme', oneOf('a scheme', ['x-ca']))
    const headers = {
      id: fields.need(
        'id',
        textOf('a key id', /^[\x21-\x7e]{1,128}$/, 'write what `X-Ca-Key` holds'),
      ),
      key: takeSecret(fields, folder, 'key'),
    }
    fields.close()
    return headers
  }
}

/** `jwe: { algorithm, encryption, key | ours, theirs }` */
export function readJwe(folder: string): Reader<NonNullable<JoseConfig['jwe']>> {
  return (node, report) => {
    const fields = openMap(node, report, '`jwe`')
    const encryption = fields.need(
      'encryption',
      oneOf('an encryption', wordsOf(Object.keys(JWE_ENCRYPTIONS))),
    )
    const algorithm = fields.need(
      'algorithm',
      oneOf('an algorithm', wordsOf(Object.keys(JWE_ALGORITHMS))),
    )
    const jwe = { algorithm, encryption }
    const keys = takeKeys(fields, folder, JWE_ALGORITHMS[algorithm], secretSize(jwe))
    fields.close()
    return { ...jwe, keys }
  }
}

/** `jws: { algorithm, key | ours, theirs }` */
export function readJws(folder: string): Reader<NonNullable<JoseConfig['jws']>> {
  return (node, report) => {
    const fields = openMap(node, report, '`jws`')
    const algorithm = fields.need(
      'algorithm',
      oneOf('an algorithm', wordsOf(Object.keys(JWS_ALGORITHMS))),
    )
    const keys = takeKeys(fields, folder, JWS_ALGORITHMS[algorithm])
    fields.close()
    return { algorithm, keys }
  }
}

function takeKeys(
  fields: Fields,
  folder: string,
  type: 'shared' | 'pair' | undefined,
  size?: number,
): KeyFiles {
  if (type === 'shared') return { key: takeSecret(fields, folder, 'key', size) }
  return takePair(fields, folder, 'jwk')
}

function wordsOf(words: readonly string[]): [string, ...string[]] {
  const [first = '', ...rest] = words
  return [first, ...rest]
}
