import { expect } from 'chai'
import {
  compactDecrypt,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from '../../gateway/serve.ts'
import { type Bank, json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'

const MOBILE = '13800138000'
const head = (id: string, from: string, to: string) => `policy: ${id}
version: 1
title: { zh: 测试, en: Test }
from: ${from}
to: ${to}
when: { method: POST, path: /${id} }
purpose: servicing
legal: { basis: contract, pia: { id: PIA-1, date: 2026-01-01 } }
evidence: { links: { borrower: $.borrower }, custody: none, retain: 5y }
`
const CHANGES = `${head('changes', 'sunrise-platform', 'harbour-bank')}request:
  unnamed: drop
  fields:
    $.sealed:   { kind: mobile, encrypt: recipient }
    $.remark:   { redact: text }
    $.vaulted:  { kind: mobile, tokenize: { form: vaulted, ttl: 1h, once: true } }
    $.checked:  { kind: mobile, attest: operator-one }
    $.hired:    { date-shift: 30 }
    $.fired:    { date-shift: 30 }
    $.mobile:   { kind: mobile, tokenize: opaque }
    $.masked:   { kind: mobile, mask: default }
    $.borrower: { kind: resident-id, pseudonymise: hmac-sha-256 }
response:
  unnamed: drop
  fields:
    $.vaulted:  { kind: mobile, reveal: mobile }
tests:
  - name: the number leaves in no clear form
    request: { sealed: "${MOBILE}", vaulted: "${MOBILE}", checked: "${MOBILE}", masked: "${MOBILE}", remark: "请致电${MOBILE}" }
    relayed: { sealed: { any: text }, vaulted: { token: mobile }, checked: { any: text }, masked: { masked: "138****8000" }, remark: "请致电[mobile]" }
    never: [ "${MOBILE}" ]
`
const TRANSLATE = `${head('hand-over', 'harbour-bank', 'willow-collections')}request:
  unnamed: drop
  fields:
    $.mobile: { kind: mobile, translate: pseudonym, owner: sunrise-platform }
response: { unnamed: drop }
tests:
  - { name: a clear number stops it, request: { mobile: "${MOBILE}" }, refused: $.mobile }
`

describe('transforms that need more than their value, end to end', () => {
  let bank: Bank
  let collector: Bank
  let verifier: Bank
  let installation: Installation
  let gateway: Gateway
  let bankKey: CryptoKey
  let verifierKeys: ReturnType<typeof createLocalJWKSet>
  const questions: Record<string, unknown>[] = []

  before(async () => {
    ;[bank, collector, verifier] = [await startBank(), await startBank(), await startBank()]
    installation = await createInstallation(bank.url, collector.url)
    const { folder, configFile } = installation
    const key = (name: string, value: unknown) =>
      writeFileSync(join(folder, 'keys', name), JSON.stringify(value))
    const sealing = await generateKeyPair('ECDH-ES', { extractable: true })
    bankKey = sealing.privateKey
    key('bank.enc.json', { ...(await exportJWK(sealing.publicKey)), alg: 'ECDH-ES', kid: 'b1' })
    const signing = await generateKeyPair('ES256', { extractable: true })
    const keys = { keys: [{ ...(await exportJWK(signing.publicKey)), alg: 'ES256' }] }
    verifierKeys = createLocalJWKSet(keys)
    key('verifier.jwks.json', keys)
    verifier.answer = async (request, response) => {
      const question = JSON.parse(request.body) as Record<string, string>
      questions.push(question)
      const { kind, audience = '', nonce } = question
      const statement = new SignJWT({ kind, nonce, result: question['value'] === MOBILE })
      const text = await statement
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('operator-one')
        .setAudience(audience)
        .setIssuedAt()
        .sign(signing.privateKey)
      response.writeHead(200).end(text)
    }
    const text = readFileSync(configFile, 'utf8')
      .replace('id: harbour-bank,', 'id: harbour-bank, encryptTo: keys/bank.enc.json,')
      .concat(`  - { id: willow-collections, role: other, url: ${collector.url} }\n`)
      .concat(`verifiers:\n  - { id: operator-one, url: ${verifier.url}/check, `)
      .concat('jwks: keys/verifier.jwks.json, timeout: 2s }\n')
    writeFileSync(configFile, text)
    installation.addPolicy('changes.yaml', CHANGES)
    installation.addPolicy('hand-over.yaml', TRANSLATE)
    gateway = await installation.start()
  })
  after(async () => {
    await gateway.close()
    for (const server of [bank, collector, verifier]) await server.close()
    installation.remove()
  })
  beforeEach(() => {
    bank.received.length = 0
    bank.answer = (_request, response) => json(response, {})
  })

  async function send(body: unknown) {
    const authorization = `Bearer ${await installation.platform.jwt('harbour-bank')}`
    const headers = { authorization, 'content-type': 'application/json' }
    const url = `${gateway.relayUrl}/harbour-bank/changes`
    const answer = await call(url, { body: JSON.stringify(body), headers })
    const seen = bank.received.at(-1)?.body ?? '{}'
    return { answer, seen, got: JSON.parse(seen) as Record<string, string> }
  }

  it('encrypts to the key that the recipient gave', async () => {
    const { got, seen } = await send({ sealed: MOBILE })
    const { plaintext } = await compactDecrypt(got['sealed'] ?? '', bankKey)
    expect(Buffer.from(plaintext).toString()).to.equal(MOBILE)
    expect(seen).to.not.include(MOBILE)
  })

  it('redacts what is sure, and nothing that is a guess', async () => {
    const remark = `客户电话${MOBILE}，逾期39天，第20261124期`
    const { got } = await send({ remark })
    expect(got['remark']).to.equal('客户电话[mobile]，逾期39天，第20261124期')
  })

  it('masks by the dictionary', async () => {
    expect((await send({ masked: MOBILE })).got['masked']).to.equal('138****8000')
  })

  it('vaults a value, reveals it once, and keeps the store closed to others', async () => {
    bank.answer = ({ body }, response) => json(response, body)
    const { answer, got } = await send({ vaulted: MOBILE })
    expect(got['vaulted']).to.match(/^vlt_mobile_1_[a-z]+$/)
    expect(JSON.parse(answer.body)).to.deep.equal({ vaulted: MOBILE })
    bank.answer = (_request, response) => json(response, { vaulted: got['vaulted'] })
    const { answer: second } = await send({})
    expect(second.status).to.equal(502)
    const file = readFileSync(join(installation.folder, 'data', 'vault.sqlite'))
    expect(file.includes(MOBILE)).to.equal(false)
  })

  it('asks the verifier, and passes on only what it signed', async () => {
    const { got, seen } = await send({ checked: MOBILE })
    expect(questions.at(-1)).to.include({ kind: 'mobile', value: MOBILE, audience: 'harbour-bank' })
    const { payload } = await jwtVerify(got['checked'] ?? '', verifierKeys)
    expect(payload).to.include({ iss: 'operator-one', aud: 'harbour-bank', result: true })
    expect(seen).to.not.include(MOBILE)
  })

  it('relays nothing when the verifier does not answer well', async () => {
    const good = verifier.answer
    verifier.answer = (_request, response) => void response.writeHead(500).end(MOBILE)
    const { answer } = await send({ checked: MOBILE })
    verifier.answer = good
    expect(answer.status).to.equal(502)
    expect(answer.body).to.include('/problems/verifier-failed').and.not.include(MOBILE)
    expect(bank.received).to.have.length(0)
  })

  it('shifts the dates of one borrower together, and of another otherwise', async () => {
    const gap = ({ hired = '', fired = '' }: Record<string, string>) =>
      (Date.parse(fired) - Date.parse(hired)) / 86_400_000
    const dates = { hired: '2020-01-01', fired: '2020-03-01' }
    const one = await send({ borrower: 'A', ...dates })
    const again = await send({ ...dates, borrower: 'A' })
    expect(gap(one.got)).to.equal(60)
    expect(one.got['hired']).to.not.equal('2020-01-01')
    expect(one.got['hired']).to.equal(again.got['hired'])
    const shifts = new Set<string | undefined>()
    for (const borrower of 'BCDEFGH') shifts.add((await send({ borrower, ...dates })).got['hired'])
    expect(shifts.size).to.be.greaterThan(1)
    const { answer } = await send(dates)
    expect(answer.status).to.equal(422)
  })

  it("translates the platform's token into the collector's pseudonym", async () => {
    const { got } = await send({ mobile: MOBILE })
    collector.answer = (_request, response) => json(response, {})
    const authorization = `Bearer ${await installation.bank.jwt('willow-collections')}`
    const headers = { authorization, 'content-type': 'application/json' }
    const hand = async (mobile: unknown) =>
      call(`${gateway.relayUrl}/willow-collections/hand-over`, { body: JSON.stringify({ mobile }), headers: { ...headers, authorization: `Bearer ${await installation.bank.jwt('willow-collections')}` } }) // prettier-ignore
    expect((await hand(got['mobile'])).status).to.equal(200)
    const { mobile } = JSON.parse(collector.received.at(-1)?.body ?? '{}') as { mobile: string }
    expect(mobile).to.match(/^psn_mobile_1_[a-z]+$/)
    expect(mobile.slice(-30)).to.not.equal(got['mobile']?.slice(-30))
    expect((await hand(MOBILE)).status).to.equal(422)
  })
})
