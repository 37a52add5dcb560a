/** Reads a policy file into a `Policy`; what is wrong with it is told all at once. Pure. @module */
import { createHash } from 'node:crypto'
import { type Report, suggest } from '../../base/diagnostic.ts'
import {
  integerOf,
  listOf,
  oneOf,
  openMap,
  readEntries,
  type Reader,
  textOf,
} from '../../base/shape.ts'
import { parseYaml, type YamlNode } from '../../base/yaml.ts'
import { numbered } from './mistakes.ts'
import { TESTS_MAX, VERSION_MAX } from './limits.ts'
import type { Direction, Path, Policy, PolicyTest } from './policy.ts'
import { type Known, readDirection, readPath } from './parse-rules.ts'

/** Bases of PIPL art. 13, the first split by the form of consent (art. 23, 征信业管理条例 art. 14). */
// prettier-ignore
export const LEGAL_BASES = [
  'separate-consent', 'written-consent', 'consent', 'contract', 'legal-duty', 'emergency',
  'public-interest', 'public-information', 'other-law',
] as const
/** Methods that a route may have. */
export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const
const NAME = /^[a-z][a-z0-9-]{0,62}$/
const NAME_HELP = 'use lower-case letters, digits and `-`, a letter first'

/** A policy, or nothing when `report` gained an error. `known` names what rules may use. */
export function parsePolicy(...parameters: Parameters<typeof parseDraft>): Policy | undefined {
  const draft = parseDraft(...parameters)
  return draft?.isWhole === true ? draft.policy : undefined
}

/** What could be read of a policy; unless it is whole, it serves to find further mistakes alone. */
export interface Draft {
  readonly policy: Policy
  readonly isWhole: boolean
}

/** As much of a policy as can be read; nothing when the file is no YAML. */
export function parseDraft(
  whole: Report,
  file: string,
  text: string,
  known: Known,
): Draft | undefined {
  const before = whole.errorCount
  const root = parseYaml(numbered(whole, 'P001'), file, text)
  if (root === undefined) return undefined
  const report = numbered(whole, 'P002')
  const fields = openMap(root, report, 'the policy')
  const when = fields.need('when', readWhen)
  const numbering = { next: 1 }
  const direction = (name: string): Reader<Direction> =>
    readDirection(name, name === 'request' ? when.path : '', known, numbering)
  const policy: Policy = {
    id: fields.need('policy', nameOf('a policy name')),
    version: fields.need('version', integerOf('`version`', 1, VERSION_MAX)),
    title: fields.need('title', readTitle),
    from: fields.need('from', partyOf(known)),
    to: fields.need('to', recipientOf(known)),
    when,
    purpose: fields.need('purpose', nameOf('a purpose')),
    legal: fields.need('legal', readLegal),
    evidence: fields.take('evidence', readEvidence) ?? EVIDENCE_DEFAULT,
    mode: fields.take('mode', oneOf('a mode', ['enforce', 'shadow'])) ?? 'enforce',
    // INVARIANT: request before response, so that rules are numbered in that order.
    request: fields.need('request', direction('request')),
    response: fields.take('response', direction('response')) ?? EMPTY_DIRECTION,
    tests: fields.need('tests', readTests),
    digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    source: { file, text },
  }
  fields.close()
  return { policy, isWhole: report.errorCount === before }
}

/** Nothing named, nothing passed. */
const EMPTY_DIRECTION: Direction = {
  unnamed: 'drop',
  headers: [],
  query: [],
  pathParameters: [],
  fields: [],
}
const EVIDENCE_DEFAULT: Policy['evidence'] = { links: new Map(), custody: 'none', retain: '5y' }

function nameOf(what: string): Reader<string> {
  return textOf(what, NAME, NAME_HELP)
}

function partyOf({ parties }: Known): Reader<string> {
  return (node, report) => {
    const id = nameOf('a party id')(node, report)
    if (id !== '' && parties !== undefined && !parties.some((party) => party.id === id)) {
      const help = suggest(
        id,
        parties.map((party) => party.id),
      )
      report.error(node.at, `there is no party \`${id}\` in sealgate.yaml`, help, 'P008')
    }
    return id
  }
}

function recipientOf(known: Known): Reader<string> {
  return (node, report) => {
    const id = partyOf(known)(node, report)
    const party = known.parties?.find((one) => one.id === id)
    if (party !== undefined && party.url === undefined) {
      report.error(
        node.at,
        `the party \`${id}\` cannot be called`,
        'give it a `url` in sealgate.yaml',
        'P008',
      )
    }
    return id
  }
}

const readTitle: Reader<Policy['title']> = (node, report) => {
  const fields = openMap(node, report, '`title`')
  const title = {
    zh: fields.need('zh', textOf('a title')),
    en: fields.need('en', textOf('a title')),
  }
  fields.close()
  return title
}

const readWhen: Reader<Policy['when']> = (node, report) => {
  const fields = openMap(node, report, '`when`')
  const when = {
    method: fields.need('method', oneOf('a method', METHODS)),
    path: fields.need('path', readRoutePath),
  }
  fields.close()
  return when
}

const readRoutePath: Reader<string> = (node, report) => {
  const path = textOf('a route path', undefined, 'write `/credit/applications/{id}`')(node, report)
  const parameters = new Set<string>()
  for (const segment of path.split('/').slice(1)) {
    const name = /^\{([a-zA-Z][\w-]*)\}$/.exec(segment)?.[1]
    // RFC 3986 §3.3 pchar, without percent-encoding: one spelling for one route.
    if (name === undefined && !/^[\w.~!$&'()*+,;=:@-]+$/.test(segment)) {
      report.error(
        node.at,
        `\`${segment}\` cannot be a segment of a route path`,
        'write plain characters, or `{name}` for one whole segment',
      )
    } else if (segment === '.' || segment === '..') {
      report.error(node.at, 'a route path has no `.` or `..` segments', 'write the path out')
    } else if (name !== undefined && parameters.has(name)) {
      report.error(node.at, `\`{${name}}\` stands twice in the path`, 'give each its own name')
    }
    if (name !== undefined) parameters.add(name)
  }
  if (path !== '' && !path.startsWith('/')) {
    report.error(node.at, 'a route path starts with `/`', `write \`/${path}\``)
  }
  return path
}

const readLegal: Reader<Policy['legal']> = (node, report) => {
  const fields = openMap(node, report, '`legal`')
  const consent = fields.take('consent', (item) => {
    const inner = openMap(item, report, '`consent`')
    const at = inner.need('at', readPath)
    inner.close()
    return at
  })
  const pia = fields.take('pia', (item) => {
    const inner = openMap(item, report, '`pia`')
    const found = {
      id: inner.need('id', textOf('an assessment id')),
      date: inner.need('date', readDate),
    }
    inner.close()
    return found
  })
  const legal = {
    basis: fields.need('basis', oneOf('a legal basis', LEGAL_BASES)),
    ...(consent === undefined ? {} : { consent }),
    ...(pia === undefined ? {} : { pia }),
  }
  fields.close()
  return legal
}

const readDate: Reader<string> = (node, report) => {
  const text = textOf('a date', /^\d{4}-\d\d-\d\d$/, 'write `2026-03-02`')(node, report)
  const date = new Date(`${text}T00:00:00Z`)
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !(toDay(date) === text)) {
    report.error(node.at, `\`${text}\` is not in the calendar`, 'correct the day')
  }
  return text
}

function toDay(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10)
}

const readEvidence: Reader<Policy['evidence']> = (node, report) => {
  const fields = openMap(node, report, '`evidence`')
  const evidence = {
    links: fields.take('links', readLinks) ?? new Map<string, Path>(),
    custody: fields.take('custody', oneOf('a custody', ['none', 'sealed'])) ?? ('none' as const),
    retain:
      fields.take(
        'retain',
        textOf('a time to retain', /^[1-9]\d{0,2}[ymd]$/, 'write `5y`, `18m` or `400d`'),
      ) ?? EVIDENCE_DEFAULT.retain,
  }
  fields.close()
  return evidence
}

const readLinks: Reader<ReadonlyMap<string, Path>> = (node, report) => {
  const links = new Map<string, Path>()
  for (const [name, { key, value }] of readEntries(node, report, '`links`')) {
    if (!NAME.test(name)) report.error(key.at, `\`${name}\` is not a link name`, NAME_HELP)
    const path = readPath(value, report)
    if (path.some(({ step }) => step === 'wildcard' || step === 'descendant')) {
      report.error(value.at, 'a link names one value', 'replace the wildcard by a name or an index')
    }
    links.set(name, path)
  }
  return links
}

const readTests: Reader<readonly PolicyTest[]> = (node, report) => {
  const tests = listOf(readTest, '`tests`')(node, report)
  if (node.node === 'list' && (tests.length === 0 || tests.length > TESTS_MAX)) {
    const help = 'add `- { name: …, request: …, relayed: … }` under `tests`'
    report.error(node.at, `a policy has from 1 to ${TESTS_MAX} tests`, help)
  }
  return tests
}

const asIs: Reader<YamlNode> = (node) => node

const readTest: Reader<PolicyTest> = (node, report) => {
  const fields = openMap(node, report, 'a test')
  const name = fields.need('name', textOf('a name'))
  const request = fields.take('request', asIs)
  const response = fields.take('response', asIs)
  const relayed = fields.take('relayed', asIs)
  const answered = fields.take('answered', asIs)
  const refused = fields.take('refused', textOf('a part of the reason'))
  const never = fields.take('never', listOf(textOf('a text'), '`never`')) ?? []
  fields.close()
  if (request === undefined && response === undefined && node.node === 'map') {
    report.error(node.at, 'the test has neither `request` nor `response`', 'add a sample body')
  }
  if (relayed !== undefined && request === undefined) {
    report.error(relayed.at, '`relayed` stands without a `request`', 'add the request body')
  }
  if (answered !== undefined && response === undefined) {
    report.error(answered.at, '`answered` stands without a `response`', 'add the response body')
  }
  return {
    name,
    at: node.at,
    never,
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
    ...(relayed === undefined ? {} : { relayed }),
    ...(answered === undefined ? {} : { answered }),
    ...(refused === undefined ? {} : { refused }),
  }
}
