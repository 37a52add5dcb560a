import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { uuidv7 } from '../../base/uuid.ts'
import { commit, derivedSecrets } from '../../evidence/commitment.ts'
import { exportRecord, type ExportPorts } from '../../evidence/export.ts'
import { openChains, saveChain } from '../../evidence/export-chains.ts'
import {
  type ExportedRecord,
  formatExported,
  parseExported,
  parseStrictJson,
} from '../../evidence/export-format.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { openLog } from '../../evidence/log/open.ts'
import { FIRST_PREV, createSealer, recordDigest } from '../../evidence/seal.ts'
import { verifyExported } from '../../evidence/verify.ts'
import { formatTrust, parseTrust, type Trust } from '../../evidence/verify-trust.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'
import { recordMaker } from './records.ts'

const ORIGIN = 'log.test/evr'

interface Evidence {
  readonly exported: ExportedRecord
  readonly ports: ExportPorts
  readonly trust: Trust
  readonly rid: string
}

/** One really sealed record among others, in a real log, exported with one opened value. */
async function makeEvidence(data: string): Promise<Evidence> {
  const identity = await openSealIdentity(join(data, 'keys'), {
    instance: 'i-1',
    organization: 'Test',
    clock: systemClock,
  })
  const chain = [identity.certificateDer, ...identity.chainDer]
  saveChain(join(data, 'certificates'), chain)
  const seal = createSealer(identity)
  const secrets = derivedSecrets(randomBytes(32))
  const nowUs = systemClock.wallUs()
  const rid = uuidv7(Number(nowUs / 1000n), randomBytes(10))
  const claims = [
    { name: 'f:$.name', json: '"测试"' },
    { name: 'f:$.amount', json: '1.10' },
  ]
  const instance = uuidv7(Number(nowUs / 1000n), randomBytes(10))
  const payload = {
    ...{ v: 1, kind: 'exchange', rid, instance, seq: 1, prev: FIRST_PREV },
    times: { received: '2026-11-24T03:00:00.000000Z' },
    _sd: commit(secrets.secretOf(rid), claims, new Set()),
    _sd_alg: 'sha-256',
  }
  const jws = seal(JSON.stringify(payload), Number(nowUs / 1_000_000n))
  const log = await openLog({ data, log: join(data, 'log'), origin: ORIGIN, batchMs: 0 })
  await log.append([
    ...recordMaker(31).many(300),
    { rid, kind: 'exchange', instance, seq: 1, jws },
    ...recordMaker(32).many(3),
  ])
  const index = openSqliteIndex(join(data, 'index.sqlite'))
  const logKeys = openLogKeys(join(data, 'keys'), ORIGIN).map(({ verifier }) => verifier)
  const ports = {
    ...{ reader: log.reader(), index, logKeys, secrets },
    chainOf: openChains(join(data, 'certificates')),
  }
  const exported = await exportRecord(ports, rid, [{ name: 'f:$.name', value: '测试' }])
  await log.close()
  expect(recordDigest(exported.record)).to.have.length(43)
  return { exported, ports, rid, trust: { roots: chain.slice(-1), logKeys } }
}

describe('verify', () => {
  let data: string
  let evidence: Evidence
  before(async () => {
    data = mkdtempSync(join(tmpdir(), 'sealgate-verify-'))
    evidence = await makeEvidence(data)
  })
  after(async () => {
    await evidence.ports.index.close()
    rmSync(data, { recursive: true })
  })

  it('accepts an exported record against trust anchors, after writing and reading both files', async () => {
    const exported = parseExported(formatExported(evidence.exported))
    const result = await verifyExported(exported, parseTrust(formatTrust(evidence.trust)))
    expect(result.checks.filter(({ ok }) => !ok)).to.deep.equal([])
    expect(result.verdict).to.equal('valid')
    expect(result.rid).to.equal(evidence.rid)
    expect(result.development).to.equal(true)
    const disclosed = { name: 'f:$.name', json: '"测试"' }
    expect(result.checks.at(-1)).to.have.property('disclosed').that.deep.equals(disclosed)
  })

  it('is not anchored without trust anchors', async () => {
    const { verdict, checks } = await verifyExported(evidence.exported, undefined)
    expect(verdict).to.equal('not-anchored')
    for (const name of ['certificate', 'checkpoint']) {
      expect(checks.find((check) => check.name === name)?.text).to.include('not anchored')
    }
  })

  it('opens a number by its spelling, and no value that the record does not hold', async () => {
    const open = (value: string) =>
      exportRecord(evidence.ports, evidence.rid, [{ name: 'f:$.amount', value }])
    expect((await open('1.10')).disclosures).to.have.length(1)
    const error = await open('1.1').catch((cause: unknown) => cause)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'request-malformed')
    expect(String(error)).to.include('`f:$.amount`')
  })

  // prettier-ignore
  const TAMPERED: { name: string; change: (e: ExportedRecord) => Partial<ExportedRecord>; want: string[] }[] = [
    { name: 'another signature bit',  change: (e) => ({ record: flipEnd(e.record) }),             want: ['signature', 'leaf'] },
    { name: 'another payload',        change: (e) => ({ record: e.record.replace(/\.\w/, '.A') }), want: ['record-form', 'payload-form', 'certificate', 'signature', 'leaf', 'disclosure'] },
    { name: 'padding',                change: (e) => ({ record: e.record + '=' }),                want: ['record-form', 'certificate', 'signature', 'leaf', 'disclosure'] },
    { name: 'another leaf',           change: (e) => ({ leaf: e.leaf.replace('exchange', 'refusal') }), want: ['leaf', 'inclusion'] },
    { name: 'a leaf without newline', change: (e) => ({ leaf: e.leaf.trimEnd() }),                want: ['leaf', 'inclusion'] },
    { name: 'another index',          change: (e) => ({ proof: e.proof.replace('index 300', 'index 301') }), want: ['inclusion'] },
    { name: 'another size',           change: (e) => ({ proof: e.proof.replace('\n304\n', '\n305\n') }), want: ['inclusion', 'checkpoint'] },
    { name: 'no certificate',         change: () => ({ certificates: [] }),                       want: ['certificate', 'signature'] },
    { name: 'issuer as the signer',   change: (e) => ({ certificates: e.certificates.slice(1) }), want: ['certificate', 'signature'] },
    { name: 'a made-up disclosure',   change: () => ({ disclosures: ['WyJhIiwiYiIsImMiXQ'] }),    want: ['disclosure'] },
  ]
  for (const { name, change, want } of TAMPERED) {
    it(`names what is wrong: ${name}`, async () => {
      const tampered = { ...evidence.exported, ...change(evidence.exported) }
      const { verdict, checks } = await verifyExported(tampered, evidence.trust)
      const failed = checks.filter(({ ok }) => !ok).map((check) => check.name)
      expect(verdict).to.equal('invalid')
      expect(failed).to.deep.equal(want)
    })
  }

  it('believes no other root and no other log key', async () => {
    const other = mkdtempSync(join(tmpdir(), 'sealgate-verify-'))
    const stranger = await openSealIdentity(other, {
      instance: 'i-2',
      organization: 'Test',
      clock: systemClock,
    })
    const logKeys = openLogKeys(other, ORIGIN).map(({ verifier }) => verifier)
    rmSync(other, { recursive: true })
    const trust = { roots: stranger.chainDer.slice(-1), logKeys }
    const { checks } = await verifyExported(evidence.exported, trust)
    const failed = checks.filter(({ ok }) => !ok).map((check) => check.name)
    expect(failed).to.deep.equal(['certificate', 'checkpoint'])
  })

  // prettier-ignore
  const UNUSABLE = [
    { name: 'not JSON',         text: '{',                                  want: 'expected one JSON document' },
    { name: 'a list',           text: '[]',                                 want: 'expected a JSON object' },
    { name: 'a repeated name',  text: '{"a":{"b":1,"\\u0062":2}}',          want: 'the name `b` is repeated' },
    { name: 'deep nesting',     text: `{"a":${'['.repeat(99)}${']'.repeat(99)}}`, want: 'nested deeper than 64' },
    { name: 'another format',   text: '{"format":"sealgate-record/2"}',     want: '`format`' },
    { name: 'an unknown name',  text: '{"format":"sealgate-record/1","x":1}', want: 'unknown member `x`' },
    { name: 'a missing member', text: '{"format":"sealgate-record/1"}',     want: '`record` is not a text' },
  ]
  for (const { name, text, want } of UNUSABLE) {
    it(`cannot use ${name}`, () => {
      expect(() => parseExported(text))
        .to.throw(Problem, want)
        .with.property('slug', 'request-malformed')
    })
  }

  it('accepts equal names in different objects and braces in texts', () => {
    parseStrictJson('{"a":{"b":1},"c":[{"b":"}{\\"b\\":"},{"b":2}]}')
  })
})

function flipEnd(text: string): string {
  const last = Buffer.from(text.slice(-4), 'base64url')
  last.writeUInt8(last.readUInt8(0) ^ 1, 0)
  return text.slice(0, -4) + last.toString('base64url')
}
