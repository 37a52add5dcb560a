/** The parties and verifiers of sealgate.yaml, and how each authenticates. @module */
import { createPublicKey } from 'node:crypto'
import type { Report } from '../base/diagnostic.ts'
import { durationOf, listOf, oneOf, openMap, type Reader, textOf } from '../base/shape.ts'
import type { YamlNode } from '../base/yaml.ts'
import { readableFile, secretFile } from './config-files.ts'
import { parseSecrets } from './signature/secrets.ts'
import type { AuthConfig, PartyConfig, VerifierConfig } from './config.ts'
import { ENCRYPTION_ALGORITHMS } from './transform/encrypt.ts'

/** Party ids stand in URLs and separate token domains. */
const PARTY_ID = /^[a-z][a-z0-9-]{0,62}$/
/** Paths that the gateway answers itself, and the audience of deposits. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['api', 'deposit', 'problems', 'uploads'])
const PARTY_ROLES = ['platform', 'bank', 'bureau', 'guarantor', 'other'] as const

/** Reads `parties`; key files are relative to `folder`. */
export function readParties(folder: string): Reader<readonly PartyConfig[]> {
  return (node, report) => {
    const ids = new Set<string>()
    const readParty: Reader<PartyConfig> = (item) => {
      const fields = openMap(item, report, 'a party')
      const id = fields.need(
        'id',
        textOf('a party id', PARTY_ID, 'use lower-case letters, digits and `-`'),
      )
      if (ids.has(id) && id !== '')
        report.error(item.at, `the party \`${id}\` stands here twice`, 'remove one')
      ids.add(id)
      if (RESERVED_IDS.has(id))
        report.error(item.at, `\`${id}\` is a path of the gateway itself`, 'give it another id')
      const url = fields.take('url', readHttpUrl)
      const signWith = fields.take('signWith', readSecrets(folder))
      const encryptTo = fields.take('encryptTo', readEncryptionKey(folder))
      const party = {
        id,
        role: fields.need('role', oneOf('a role of a party', PARTY_ROLES)),
        ...(url === undefined ? {} : { url }),
        ...(signWith === undefined ? {} : { signWith }),
        ...(encryptTo === undefined ? {} : { encryptTo }),
        auth: fields.take('auth', listOf(readAuth(folder), '`auth`')) ?? [],
      }
      fields.close()
      return party
    }
    return listOf(readParty, '`parties`')(node, report)
  }
}

/** Reads `verifiers`: whom `attest` asks. */
export function readVerifiers(folder: string): Reader<readonly VerifierConfig[]> {
  const readVerifier: Reader<VerifierConfig> = (node, report) => {
    const fields = openMap(node, report, 'a verifier')
    const id = fields.need(
      'id',
      textOf('a verifier id', PARTY_ID, 'use lower-case letters, digits and `-`'),
    )
    const verifier = {
      id,
      url: fields.need('url', readPrivateUrl),
      issuer: fields.take('issuer', textOf('the issuer of its statements')) ?? id,
      jwks: fields.need('jwks', readKeys(folder)),
      timeoutMs:
        fields.take('timeout', durationOf('`timeout`', 100, 30_000)) ?? VERIFIER_TIMEOUT_MS,
    }
    fields.close()
    return verifier
  }
  return (node, report) => {
    const verifiers = listOf(readVerifier, '`verifiers`')(node, report)
    verifiers.forEach(({ id }, index) => {
      const item = node.node === 'list' ? node.items[index] : undefined
      if (id === '' || verifiers.findIndex((other) => other.id === id) === index) return
      report.error(item?.at ?? node.at, `the verifier \`${id}\` stands here twice`, 'remove one')
    })
    return verifiers
  }
}

const VERIFIER_TIMEOUT_MS = 3000

/** Personal values go there: in the clear on this machine only. */
const readPrivateUrl: Reader<string> = (node, report) => {
  const text = readHttpUrl(node, report)
  const { protocol, hostname = '' } = URL.parse(text) ?? {}
  if (protocol === 'http:' && !['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
    report.error(node.at, 'personal values would go there in the clear', 'write `https://…`')
  return text
}

function readEncryptionKey(folder: string): Reader<string> {
  const algorithms = ENCRYPTION_ALGORITHMS.join(', ')
  return readableFile(folder, `a public JWK whose \`alg\` is one of ${algorithms}`, (text) => {
    const jwk = JSON.parse(text) as Record<string, unknown> | null
    const { alg } = jwk ?? {}
    if (
      jwk === null ||
      typeof alg !== 'string' ||
      !ENCRYPTION_ALGORITHMS.includes(alg) ||
      'd' in jwk
    )
      throw new TypeError('not a public encryption key')
    createPublicKey({ key: jwk, format: 'jwk' })
  })
}

const readHttpUrl: Reader<string> = (node, report) => {
  const text = textOf('a URL', undefined, 'write `https://…`')(node, report)
  if (text !== '' && !isHttpUrl(text))
    report.error(node.at, 'not an http or https URL', 'write `https://…`')
  return text
}

/** An http or https URL without credentials or fragment. */
export function isHttpUrl(text: string): boolean {
  const { protocol, username, hash } = URL.parse(text) ?? {}
  return (protocol === 'https:' || protocol === 'http:') && username === '' && hash === ''
}

function readAuth(folder: string): Reader<AuthConfig> {
  return (node, report) => {
    const fields = openMap(node, report, 'a way to authenticate')
    const keys = (item: YamlNode) => readKeySet(item, folder, report)
    const jwt = fields.take('jwt', keys)
    const signature = fields.take('signature', keys)
    const subject = fields.take('mtls', readSubject)
    const secrets = fields.take('hmac', readSecrets(folder))
    fields.close()
    if (fields.map.entries.size !== 1 && node.node === 'map') {
      report.error(
        node.at,
        'one way to authenticate stands in each map',
        'write `[ { jwt: … }, { mtls: … } ]`',
      )
    }
    if (secrets !== undefined) return { method: 'hmac', secrets }
    if (subject !== undefined) return { method: 'mtls', subject }
    if (signature !== undefined) return { method: 'signature', jwks: signature }
    return { method: 'jwt', jwks: jwt ?? '' }
  }
}

function readSecrets(folder: string): Reader<string> {
  return secretFile(folder, 'a JWK set of `oct` keys with `kid`, 32 bytes or more', parseSecrets)
}

const readSubject: Reader<string> = (node, report) => {
  const fields = openMap(node, report, '`mtls`')
  const subject = fields.need('subject', textOf('a certificate subject'))
  fields.close()
  return subject
}

function readKeySet(node: YamlNode, folder: string, report: Report): string {
  const fields = openMap(node, report, 'the keys')
  const jwks = fields.need('jwks', readKeys(folder))
  fields.close()
  return jwks
}

/** A URL, or a file. */
function readKeys(folder: string): Reader<string> {
  const readFile = readableFile(folder, 'a JWK set (`{"keys": […]}`)', checkKeySet)
  return (node, report) =>
    node.node === 'scalar' && isHttpUrl(node.text) ? node.text : readFile(node, report)
}

function checkKeySet(text: string): void {
  const set = JSON.parse(text) as { keys?: unknown } | null
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new TypeError('no keys')
}
