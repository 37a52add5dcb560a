import { expect } from 'chai'
import fc from 'fast-check'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { exportRecord } from '../../evidence/export.ts'
import {
  type ExportedRecord,
  formatExported,
  parseExported,
  parseStrictJson,
} from '../../evidence/export-format.ts'
import { cosign, parseCheckpoint } from '../../evidence/log/checkpoint.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { makeSigner, ML_DSA_44_COSIGNATURE } from '../../evidence/log/note.ts'
import { verifyExported } from '../../evidence/verify.ts'
import { formatTrust, parseTrust } from '../../evidence/verify-trust.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'
import { type Evidence, makeEvidence, ORIGIN } from './evidence.ts'

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

  it('demands the witnesses of the trust file', async () => {
    const bank = makeSigner('bank.test/w', ML_DSA_44_COSIGNATURE, generateKeyPairSync('ml-dsa-44').privateKey) // prettier-ignore
    const policy = `witness bank ${bank.verifier.text}\nquorum bank\n`
    const trust = parseTrust(formatTrust(evidence.trust, policy))
    const alone = await verifyExported(evidence.exported, trust)
    expect(alone.verdict).to.equal('invalid')
    expect(alone.checks.filter(({ ok }) => !ok).map(({ name }) => name)).to.deep.equal([
      'witnesses',
    ])
    const { proof } = evidence.exported
    const checkpoint = parseCheckpoint(proof.slice(proof.indexOf('\n\n') + 2))
    const line = cosign(bank, checkpoint, checkpoint.note.text, 1_800_000_000)
    const witnessed = await verifyExported({ ...evidence.exported, proof: proof + line }, trust)
    expect(witnessed.verdict).to.equal('valid')
    const check = witnessed.checks.find(({ name }) => name === 'witnesses')
    expect(check?.text).to.equal('cosigned by `bank` at 2027-01-15T08:00:00.000Z')
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

  it('never throws on a hostile file, and never believes it', async () => {
    const names = ['record', 'leaf', 'proof'] as const
    const lists = ['disclosures', 'certificates', 'logKeys'] as const
    const { exported, trust } = evidence
    const part = (text: string): fc.Arbitrary<string> =>
      fc.oneof(
        fc.string(),
        fc.base64String(),
        fc.tuple(fc.nat(text.length), fc.string({ maxLength: 3 })).map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1)), // prettier-ignore
      )
    const one = fc
      .constantFrom(...names)
      .chain((name) => part(exported[name]).map((text) => ({ ...exported, [name]: text })))
    const list = fc.constantFrom(...lists).chain(
      (name) =>
      fc.array(part(exported[name][0] ?? ''), { maxLength: 3 }).map((texts) => ({ ...exported, [name]: texts })), // prettier-ignore
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(one, list), async (file) => {
        const { verdict } = await verifyExported(file, trust)
        const same = JSON.stringify({ ...file, logKeys: [], disclosures: [] }) === JSON.stringify({ ...exported, logKeys: [], disclosures: [] }) // prettier-ignore
        if (verdict === 'valid') expect(same).to.equal(true)
      }),
      { numRuns: 300 },
    )
  })

  it('accepts equal names in different objects and braces in texts', () => {
    parseStrictJson('{"a":{"b":1},"c":[{"b":"}{\\"b\\":"},{"b":2}]}')
  })
})

function flipEnd(text: string): string {
  const last = Buffer.from(text.slice(-4), 'base64url')
  last.writeUInt8(last.readUInt8(0) ^ 1, 0)
  return text.slice(0, -4) + last.toString('base64url')
}
