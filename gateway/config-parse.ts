/** Reads sealgate.yaml and the environment into a `Config`; tells everything that is wrong at once. @module */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import type { Report } from '../base/diagnostic.ts'
import { oneOf, openMap, type Reader, textOf } from '../base/shape.ts'
import { parseYaml, type YamlNode } from '../base/yaml.ts'
import { overrideFrom } from './config-environment.ts'
import { readEnvelopes } from './config-envelopes.ts'
import {
  readCustody,
  readGm,
  readOrigin,
  readSeal,
  readTimestamp,
  readWitnesses,
  TIMESTAMP_DEFAULTS,
} from './config-evidence.ts'
import { isFolder, readableFile, readText } from './config-files.ts'
import { readParties, readVerifiers } from './config-parties.ts'
import type { Config, Listener } from './config.ts'

/** A configuration, or nothing when `report` gained an error. Relative paths start at the file. */
export function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  report: Report,
): Config | undefined {
  const before = report.errorCount
  const text = readText(file, { file, line: 1, column: 1 }, report, 'the configuration')
  const root = text === undefined ? undefined : parseYaml(report, file, text)
  if (root === undefined) return undefined
  const config = readConfig(
    overrideFrom(environment, root, report),
    { file, folder: dirname(resolve(file)) },
    report,
  )
  return report.errorCount > before ? undefined : config
}

interface Place {
  readonly file: string
  readonly folder: string
}

function readConfig(root: YamlNode, place: Place, report: Report): Config {
  const fields = openMap(root, report, 'the configuration')
  const path = pathIn(place.folder)
  const custody = fields.take('custody', readCustody(place.folder))
  const origin = fields.take('origin', readOrigin)
  const seal = fields.take('seal', readSeal(place.folder))
  const gm = fields.take('gm', readGm) ?? false
  const witnesses = fields.take('witnesses', readWitnesses(place.folder))
  const config: Config = {
    file: place.file,
    relay: fields.take('relay', listener(place.folder)) ?? LISTEN_DEFAULTS.relay,
    admin: fields.take('admin', listener(place.folder)) ?? LISTEN_DEFAULTS.admin,
    data: fields.take('data', path) ?? resolve(place.folder, 'data'),
    policies: fields.take('policies', path) ?? resolve(place.folder, 'policies'),
    queue: fields.take('queue', readQueue) ?? { kind: 'embedded' },
    index: fields.take('index', readIndex) ?? { kind: 'embedded' },
    log: fields.take('log', readLog(place.folder)) ?? { kind: 'folder', path: '' },
    timestamp: fields.take('timestamp', readTimestamp) ?? TIMESTAMP_DEFAULTS,
    ...(custody === undefined ? {} : { custody }),
    ...(origin === undefined ? {} : { origin }),
    ...(seal === undefined ? {} : { seal }),
    ...(gm ? { gm } : {}),
    ...(witnesses === undefined ? {} : { witnesses }),
    operator: fields.need('operator', readOperator),
    parties: fields.need('parties', readParties(place.folder)),
    verifiers: fields.take('verifiers', readVerifiers(place.folder)) ?? [],
    envelopes: fields.take('envelopes', readEnvelopes(place.folder)) ?? [],
  }
  fields.close()
  if (!isFolder(config.policies)) {
    const at = fields.map.entries.get('policies')?.value.at ?? fields.map.at
    report.error(at, 'the policies folder does not exist', `make the folder ${config.policies}`)
  }
  // The log stands in the data folder unless it is sent elsewhere.
  const log = config.log.kind === 'folder' && config.log.path === ''
  return log ? { ...config, log: { kind: 'folder', path: resolve(config.data, 'log') } } : config
}

const LISTEN_DEFAULTS = {
  relay: { host: '127.0.0.1', port: 8080 },
  admin: { host: '127.0.0.1', port: 8081 },
} as const

function listener(folder: string): Reader<Listener> {
  return (node, report) => {
    const fields = openMap(node, report, 'a listener')
    const address = fields.need('listen', readAddress)
    const tls = fields.take('tls', (tlsNode) => readTls(tlsNode, folder, report))
    fields.close()
    if (tls === undefined && !isLoopback(address.host)) {
      report.error(
        address.at,
        'TLS is missing, and the address can be reached from other machines',
        'add `tls: { cert: …, key: … }`, or listen on 127.0.0.1',
      )
    }
    return { ...address, ...(tls === undefined ? {} : { tls }) }
  }
}

function readAddress(node: YamlNode, report: Report) {
  const text = textOf('`listen`', undefined, 'write `127.0.0.1:8080`')(node, report)
  const parts = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  if (text !== '' && (parts === null || port > 65_535)) {
    report.error(
      node.at,
      `\`${text}\` is not an address and a port`,
      'write `127.0.0.1:8080` or `[::1]:8080`',
    )
  }
  return { host: parts?.[1] ?? parts?.[2] ?? '', port, at: node.at }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function readTls(node: YamlNode, folder: string, report: Report) {
  const fields = openMap(node, report, '`tls`')
  const certificate = (pem: string) => void new X509Certificate(pem)
  const clientCa = fields.take('clientCa', readableFile(folder, 'a PEM certificate', certificate))
  const tls = {
    cert: fields.need('cert', readableFile(folder, 'a PEM certificate', certificate)),
    key: fields.need(
      'key',
      readableFile(folder, 'a PEM private key', (pem) => void createPrivateKey(pem)),
    ),
    ...(clientCa === undefined ? {} : { clientCa }),
  }
  fields.close()
  return tls
}

const readQueue: Reader<Config['queue']> = (node, report) => {
  const url = connection(node, report, ['redis:', 'rediss:', 'redis+sentinel:', 'redis+cluster:'])
  return url === 'embedded' ? { kind: 'embedded' } : { kind: 'redis', url }
}

const readIndex: Reader<Config['index']> = (node, report) => {
  const url = connection(node, report, ['postgres:', 'postgresql:'])
  return url === 'embedded' ? { kind: 'embedded' } : { kind: 'postgres', url }
}

/** `embedded`, or a URL with one of the schemes. The URL may hold a password: it is never quoted. */
function connection(node: YamlNode, report: Report, schemes: readonly string[]): string {
  const text = textOf('a connection', undefined, 'write `embedded`, or a URL')(node, report)
  if (text === '' || text === 'embedded') return 'embedded'
  if (!schemes.includes(URL.parse(text)?.protocol ?? '')) {
    const list = schemes.map((scheme) => `\`${scheme}//…\``).join(', ')
    report.error(
      node.at,
      'neither `embedded` nor a URL that is known here',
      `write \`embedded\` or ${list}`,
    )
  }
  return text
}

function readLog(folder: string): Reader<Config['log']> {
  return (node, report) => {
    const text = textOf('`log`', undefined, 'write a folder, or `s3://bucket/prefix`')(node, report)
    if (text.startsWith('s3://')) return { kind: 's3', url: text }
    return { kind: 'folder', path: resolve(folder, text) }
  }
}

const OPERATOR_ROLES = ['bureau', 'entrusted-processor', 'bank-side', 'platform-side'] as const

const readOperator: Reader<Config['operator']> = (node, report) => {
  const fields = openMap(node, report, '`operator`')
  const licence = fields.take('licence', textOf('a licence number'))
  const validUntil = fields.take(
    'validUntil',
    textOf('a date', /^\d{4}-\d\d-\d\d$/, 'write `2027-11-08`'),
  )
  const operator = {
    name: fields.need('name', textOf('a name')),
    role: fields.need('role', oneOf('a role of the operator', OPERATOR_ROLES)),
    ...(licence === undefined ? {} : { licence }),
    ...(validUntil === undefined ? {} : { validUntil }),
  }
  fields.close()
  return operator
}

function pathIn(folder: string): Reader<string> {
  return (node, report) => resolve(folder, textOf('a folder')(node, report))
}
