/** The partner envelopes of sealgate.yaml: how a body is wrapped, signed and encrypted, with which keys. @module */
import type { Report } from '../base/diagnostic.ts'
import { listOf, oneOf, openMap, readEntries, type Reader, textOf } from '../base/shape.ts'
import type { YamlNode } from '../base/yaml.ts'
import { Problem } from '../base/problem.ts'
import type { Fields } from '../base/shape.ts'
import {
  readCipher,
  readHeaders,
  readJwe,
  readJws,
  readSign,
  MEMBER,
  MEMBER_HELP,
} from './config-envelope-parts.ts'
import type { EnvelopeConfig, JsonConfig } from './envelope/config.ts'
import { WEAKNESS_NAMES, WEAKNESSES, type Weakness, weaknessesOf } from './envelope/weak.ts'
import { parseDate } from './transform/calendar.ts'
import { readFormat } from './transform/format.ts'

const ENVELOPE_ID = /^[a-z][a-z0-9-]{0,62}$/

/** Reads `envelopes`; key files are relative to `folder`. A weakness that is accepted is a warning. */
export function readEnvelopes(folder: string): Reader<readonly EnvelopeConfig[]> {
  return (node, report) => {
    const envelopes = listOf(readEnvelope(folder), '`envelopes`')(node, report)
    envelopes.forEach(({ id, at }, index) => {
      if (id === '' || envelopes.findIndex((other) => other.id === id) === index) return
      report.error(at, `the envelope \`${id}\` stands here twice`, 'remove one')
    })
    return envelopes
  }
}

function readEnvelope(folder: string): Reader<EnvelopeConfig> {
  return (node, report) => {
    const fields = openMap(node, report, 'an envelope')
    const help = 'use lower-case letters, digits and `-`'
    const id = fields.need('id', textOf('an envelope id', ENVELOPE_ID, help))
    const json = fields.take('json', readJson)
    const cipher = fields.take('cipher', readCipher(folder))
    const sign = fields.take('sign', readSign(folder))
    const headers = fields.take('headers', readHeaders(folder))
    const jwe = fields.take('jwe', readJwe(folder))
    const jws = fields.take('jws', readJws(folder))
    const jose =
      jwe === undefined && jws === undefined
        ? undefined
        : { ...(jwe === undefined ? {} : { jwe }), ...(jws === undefined ? {} : { jws }) }
    const parts = {
      ...(json === undefined ? {} : { json }),
      ...(cipher === undefined ? {} : { cipher }),
      ...(sign === undefined ? {} : { sign }),
      ...(headers === undefined ? {} : { headers }),
      ...(jose === undefined ? {} : { jose }),
    }
    const weak = weaknessesOf(parts)
    const mediaType = fields.take('mediaType', textOf('a media type', /^[\w.+-]+\/[\w.+-]+$/))
    const content = fields.take('content', readContent)
    const signOff = readSignOff(fields, weak, id, report)
    fields.close()
    const at = fields.map.entries.get('id')?.value.at ?? node.at
    checkParts(parts, node, report)
    return {
      id,
      at: { file: at.file, line: at.line, column: at.column },
      mediaType: mediaType ?? mediaTypeOf(parts),
      content: content ?? 'application/json',
      ...parts,
      weak,
      ...(signOff === undefined ? {} : { signOff }),
    }
  }
}

/** A media type that a codec knows. */
const readContent: Reader<string> = (node, report) => {
  const text = textOf('a media type')(node, report)
  try {
    return readFormat(text).mediaType
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (text !== '') report.error(node.at, `\`${text}\` cannot be read here`, error.message)
    return text
  }
}

type Parts = Pick<EnvelopeConfig, 'json' | 'cipher' | 'sign' | 'headers' | 'jose'>

function mediaTypeOf({ json, cipher, jose }: Parts): string {
  if (jose !== undefined) return 'application/jose' // RFC 7515 §9.2.1
  return json === undefined && cipher !== undefined ? 'text/plain' : 'application/json'
}

/** Which parts go together. */
function checkParts(parts: Parts, node: YamlNode, report: Report): void {
  const { json, cipher, sign, headers, jose } = parts
  const error = (message: string, help: string) => report.error(node.at, message, help)
  if (cipher === undefined && sign === undefined && headers === undefined && jose === undefined) {
    error(
      'the envelope neither encrypts nor signs',
      'add `cipher`, `sign`, `headers`, `jwe` or `jws`',
    )
  }
  if (jose !== undefined && (json ?? cipher ?? sign ?? headers) !== undefined) {
    error('`jwe` and `jws` stand alone', 'remove the other parts')
  }
  if (sign !== undefined && json === undefined) {
    error('`sign` needs a member to stand in', 'add `json: { data: … }`')
  }
  const inMember = cipher?.iv.place === 'member' || cipher?.key.from === 'wrap'
  if (inMember && json === undefined) {
    error('the key or the vector needs a member to stand in', 'add `json: { data: … }`')
  }
  if (sign?.over === 'data' && inMember) {
    error('the key or the vector in a member is not signed', 'write `over: sorted`')
  }
  if (json?.fresh !== undefined && sign?.over !== 'sorted') {
    error('the time and the nonce are not signed', 'add `sign: { over: sorted, … }`')
  }
  const names = membersOf(parts)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) error(`the member \`${twice}\` stands here twice`, 'rename one')
}

function membersOf({ json, cipher, sign }: Parts): readonly string[] {
  return [
    ...(json === undefined ? [] : [json.data, ...json.constants.keys(), ...json.ignored]),
    ...(json?.fresh === undefined ? [] : [json.fresh.timestamp, json.fresh.nonce]),
    ...(cipher?.iv.place === 'member' ? [cipher.iv.member] : []),
    ...(cipher?.key.from === 'wrap' ? [cipher.key.wrap.member] : []),
    ...(sign === undefined ? [] : [sign.member]),
  ]
}

const member = textOf('a member name', MEMBER, MEMBER_HELP)

const readJson: Reader<JsonConfig> = (node, report) => {
  const fields = openMap(node, report, '`json`')
  const timestamp = fields.take('timestamp', member)
  const nonce = fields.take('nonce', member)
  if ((timestamp === undefined) !== (nonce === undefined)) {
    report.error(node.at, 'the time or the nonce is missing', 'name both `timestamp` and `nonce`')
  }
  const json = {
    data: fields.need('data', member),
    constants: fields.take('constants', readConstants) ?? new Map<string, string>(),
    ignored: fields.take('ignored', listOf(member, '`ignored`')) ?? [],
    ...(timestamp === undefined || nonce === undefined ? {} : { fresh: { timestamp, nonce } }),
  }
  fields.close()
  return json
}

const readConstants: Reader<ReadonlyMap<string, string>> = (node, report) => {
  const constants = new Map<string, string>()
  for (const [name, { key, value }] of readEntries(node, report, '`constants`')) {
    if (!MEMBER.test(name)) report.error(key.at, `\`${name}\` is not a member name`, MEMBER_HELP)
    constants.set(name, textOf('a text')(value, report))
  }
  return constants
}

/** Every weakness is named by whoever accepts it, until a day; each is a numbered warning. */
function readSignOff(
  fields: Fields,
  weak: readonly Weakness[],
  id: string,
  report: Report,
): EnvelopeConfig['signOff'] {
  const entry = fields.map.entries.get('weak')
  const signOff = fields.take('weak', (node) => {
    const inner = openMap(node, report, '`weak`')
    const read = oneOf('a weakness', WEAKNESS_NAMES)
    const accepted = inner.need('accepted', listOf(read, '`accepted`'))
    const by = inner.need('by', textOf('the name of who accepts it'))
    const until = inner.need('until', readDate)
    inner.close()
    return { accepted, by, until }
  })
  const at = entry?.key.at ?? fields.map.at
  for (const name of weak) {
    const { code, what } = WEAKNESSES[name]
    if (signOff?.accepted.includes(name) !== true) {
      const help = `choose another algorithm, or add \`weak: { accepted: [ ${weak.join(', ')} ], by: …, until: … }\``
      report.error(at, `the envelope \`${id}\` is weak, and nobody accepts \`${name}\`: ${what}`, help, code) // prettier-ignore
    } else {
      const until = `\`${signOff.by}\` accepted it until ${signOff.until}`
      report.warning(at, `the envelope \`${id}\` is weak, \`${name}\`: ${what}`, until, code)
    }
  }
  const stray = signOff?.accepted.find((name) => !weak.includes(name))
  if (stray !== undefined) {
    report.error(at, `the envelope \`${id}\` has not the weakness \`${stray}\``, 'remove it')
  }
  return signOff === undefined ? undefined : { by: signOff.by, until: signOff.until }
}

const readDate: Reader<string> = (node, report) => {
  const text = textOf('a date')(node, report)
  const date = parseDate(text)
  if (text !== '' && (date?.separator !== '-' || date.rest !== '')) {
    report.error(node.at, `\`${text}\` is not a date`, 'write `2027-03-31`')
  }
  return text
}
