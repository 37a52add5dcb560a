/** The parties of sealgate.yaml and how each authenticates. @module */
import type { Report } from '../base/diagnostic.ts'
import { listOf, oneOf, openMap, type Reader, textOf } from '../base/shape.ts'
import type { YamlNode } from '../base/yaml.ts'
import { readableFile } from './config-files.ts'
import type { AuthConfig, PartyConfig } from './config.ts'

/** Party ids stand in URLs and separate token domains. */
const PARTY_ID = /^[a-z][a-z0-9-]{0,62}$/
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
      const url = fields.take('url', readHttpUrl)
      const party = {
        id,
        role: fields.need('role', oneOf('a role of a party', PARTY_ROLES)),
        ...(url === undefined ? {} : { url }),
        auth: fields.take('auth', listOf(readAuth(folder), '`auth`')) ?? [],
      }
      fields.close()
      return party
    }
    return listOf(readParty, '`parties`')(node, report)
  }
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
    fields.close()
    if (fields.map.entries.size !== 1 && node.node === 'map') {
      report.error(
        node.at,
        'one way to authenticate stands in each map',
        'write `[ { jwt: … }, { mtls: … } ]`',
      )
    }
    if (subject !== undefined) return { method: 'mtls', subject }
    if (signature !== undefined) return { method: 'signature', jwks: signature }
    return { method: 'jwt', jwks: jwt ?? '' }
  }
}

const readSubject: Reader<string> = (node, report) => {
  const fields = openMap(node, report, '`mtls`')
  const subject = fields.need('subject', textOf('a certificate subject'))
  fields.close()
  return subject
}

function readKeySet(node: YamlNode, folder: string, report: Report): string {
  const fields = openMap(node, report, 'the keys')
  const jwks = fields.need('jwks', (item) => {
    if (item.node === 'scalar' && isHttpUrl(item.text)) return item.text
    return readableFile(folder, 'a JWK set (`{"keys": […]}`)', checkKeySet)(item, report)
  })
  fields.close()
  return jwks
}

function checkKeySet(text: string): void {
  const set = JSON.parse(text) as { keys?: unknown } | null
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new TypeError('no keys')
}
