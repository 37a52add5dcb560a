/** Reads the settings of the evidence floor: log name, seal key, custody, time stamps. @module */
import { resolve } from 'node:path'
import {
  durationOf,
  integerOf,
  listOf,
  oneOf,
  openMap,
  type Reader,
  readEntries,
  textOf,
} from '../base/shape.ts'
import { readableFile } from './config-files.ts'
import { parsePolicy } from '../evidence/log/policy.ts'
import type { AuthorityEntry } from '../evidence/timestamp/sources.ts'
import { isHttpUrl } from './config-parties.ts'
import type { Config, TimestampConfig } from './config.ts'

/** A log's name: a host, then a path; without scheme, spaces and plus signs (c2sp.org/signed-note). */
export const readOrigin: Reader<string> = textOf(
  'the name of the log',
  /^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)+$/,
  'write a name without a scheme, such as `evidence.example.com/evr`',
)

/** Where the seal key is when it is not a file in the data folder. */
export function readSeal(folder: string): Reader<NonNullable<Config['seal']>> {
  return (node, report) => {
    const fields = openMap(node, report, '`seal`')
    const pkcs11 = fields.need('pkcs11', (place) => {
      const inner = openMap(place, report, '`pkcs11`')
      const text = textOf('a label')
      const token = {
        module: inner.need('module', textOf('a shared library', /^\//, 'write an absolute path')),
        token: inner.need('token', text),
        pin: resolve(folder, inner.need('pin', textOf('a file that holds the PIN'))),
        label: inner.need('label', text),
      }
      inner.close()
      return token
    })
    fields.close()
    return { pkcs11 }
  }
}

/** One token a minute, by the embedded authority. */
export const TIMESTAMP_DEFAULTS: TimestampConfig = {
  authorities: [{ url: 'embedded' }],
  intervalMs: 60_000,
  recordsMax: 4096,
  sunsets: new Map(),
}

const WITNESS_INTERVAL_MS = { least: 1000, usual: 60_000, most: 3_600_000 } as const

/** `gm: on`. */
export const readGm: Reader<boolean> = (node, report) =>
  oneOf('the Chinese profile', ['off', 'on'])(node, report) === 'on'

/** Who pins the history of the log. */
export function readWitnesses(folder: string): Reader<NonNullable<Config['witnesses']>> {
  return (node, report) => {
    const { least, usual, most } = WITNESS_INTERVAL_MS
    const fields = openMap(node, report, '`witnesses`')
    const witnesses = {
      policy: fields.need('policy', readableFile(folder, 'a witness policy', (text) => void parsePolicy(text))), // prettier-ignore
      intervalMs: fields.take('interval', durationOf('`interval`', least, most)) ?? usual,
    }
    fields.close()
    return witnesses
  }
}

/** Who keeps originals. */
export function readCustody(folder: string): Reader<NonNullable<Config['custody']>> {
  return (node, report) => {
    const fields = openMap(node, report, '`custody`')
    const custodian = fields.need(
      'custodian',
      readableFile(folder, "a custodian's public JWK on P-256 or X25519", checkCustodian),
    )
    fields.close()
    return { custodian }
  }
}

/** The private half must stay with the custodian, whom the gateway cannot impersonate then. */
function checkCustodian(text: string): void {
  const { crv, x, d } = JSON.parse(text) as Readonly<Record<string, unknown>>
  const known = crv === 'P-256' || crv === 'X25519'
  if (!known || typeof x !== 'string' || d !== undefined) throw new Error('not a public JWK')
}

/** A list of authorities, or a map that also says how often they are asked. */
export const readTimestamp: Reader<TimestampConfig> = (node, report) => {
  const authorities = listOf(readAuthority, '`timestamp`')
  if (node.node !== 'map') return { ...TIMESTAMP_DEFAULTS, authorities: authorities(node, report) }
  const fields = openMap(node, report, '`timestamp`')
  const { intervalMs, recordsMax } = TIMESTAMP_DEFAULTS
  const timestamp = {
    authorities: fields.need('authorities', authorities),
    intervalMs:
      fields.take('interval_ms', integerOf('`interval_ms`', 1000, 3_600_000)) ?? intervalMs,
    recordsMax: fields.take('records_max', integerOf('`records_max`', 1, 1_000_000)) ?? recordsMax,
  }
  const sunsets = fields.take('sunsets', readSunsets) ?? TIMESTAMP_DEFAULTS.sunsets
  fields.close()
  return { ...timestamp, sunsets }
}

const readAuthority: Reader<AuthorityEntry> = (node, report) => {
  if (node.node !== 'map') return { url: readAuthorityUrl(node, report) }
  const fields = openMap(node, report, 'a time stamping authority')
  const url = fields.need('url', readAuthorityUrl)
  const policy = fields.take('policy', textOf('a policy', /^[0-2](\.\d+)+$/, 'write an object identifier, in quotes')) // prettier-ignore
  fields.close()
  return { url, ...(policy === undefined ? {} : { policy }) }
}

const readAuthorityUrl: Reader<string> = (node, report) => {
  const text = textOf('a time stamping authority')(node, report)
  if (text !== '' && text !== 'embedded' && !isHttpUrl(text)) {
    report.error(node.at, 'neither `embedded` nor a URL', 'write `embedded` or `https://…`')
  }
  return text
}

const readSunsets: Reader<ReadonlyMap<string, Date>> = (node, report) => {
  const date = textOf('a date', /^\d{4}-\d\d-\d\d$/, 'write `2030-12-31`')
  const entries = readEntries(node, report, '`sunsets`')
  return new Map(entries.map(([name, { value }]) => [name, new Date(date(value, report))]))
}
