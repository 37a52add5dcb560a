/** Every policy of the library, as its own examples have it, through a running gateway. @module */
import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import type { YamlNode } from '../../base/yaml.ts'
import { systemClock } from '../../base/clock.ts'
import { compareBody } from '../../gateway/policy/expectation.ts'
import { readPolicyFiles } from '../../gateway/policy/folder.ts'
import { loadKinds } from '../../gateway/policy/kinds-file.ts'
import type { Direction, Policy, PolicyTest } from '../../gateway/policy/policy.ts'
import { checkPolicies } from '../../gateway/policy/registry.ts'
import { leftOf, mintFor, type Side } from '../../gateway/policy/run-tests.ts'
import { type SampleMessage, sampleMessage } from '../../gateway/policy/sample.ts'
import type { Gateway } from '../../gateway/serve.ts'
import { openKeyRing } from '../../gateway/token/ring-file.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { createTransforms } from '../../gateway/transform/table.ts'
import { type Bank, json, startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { createInstallation, type Installation } from '../support/installation.ts'
import { leaksIn } from '../support/leak.ts'
import { createTestParty, type TestParty } from '../support/party.ts'
import { findRecord } from '../support/records.ts'

const report = createReport()
const kinds = loadKinds('policies', report)
const LIBRARY = await checkPolicies(
  readPolicyFiles(['policies'], report),
  kinds === undefined ? {} : { kinds },
  report,
)
if (report.errorCount > 0) throw new Error(renderReport(report, ['error']))

/** The sixteen kinds of message of the lending business, and who may send them. */
// prettier-ignore
const MESSAGES: readonly (readonly [kind: string, ...policies: string[]])[] = [
  ['1 eligibility', 'eligibility'],
  ['2 consent', 'consent'],
  ['3 identity check', 'identity-check'],
  ['4 application', 'credit-application'],
  ['5 decision', 'credit-decision'],
  ['6 limit query, trial', 'limit-query', 'repayment-trial'],
  ['7 contract', 'contract-signing', 'contract-signed'],
  ['8 drawdown', 'drawdown', 'drawdown-result'],
  ['9 repayment plan', 'repayment-plan'],
  ['10 repayment', 'repayment', 'repayment-result'],
  ['11 reconciliation', 'reconciliation', 'reconciliation-disbursement', 'reconciliation-repayment', 'reconciliation-repayment-plan', 'reconciliation-overdue', 'reconciliation-compensation', 'reconciliation-refund'],
  ['12 overdue', 'overdue'],
  ['13 collection', 'collection-assignment', 'collection-contact'],
  ['14 compensation', 'compensation-request', 'compensation'],
  ['15 credit reporting', 'credit-reporting'],
  ['16 litigation', 'litigation'],
]
const ROLES: Readonly<Record<string, string>> = {
  'anchor-guarantee': 'guarantor',
  'north-credit-bureau': 'bureau',
}

describe('the policy library', () => {
  it('has every kind of message, with an example of either direction', () => {
    const ids = LIBRARY.map(({ policy }) => policy.id)
    expect(MESSAGES.flatMap(([, ...policies]) => policies).toSorted()).to.deep.equal(ids.toSorted())
    for (const { policy } of LIBRARY) {
      expect(
        policy.tests.some(({ request }) => request !== undefined),
        policy.id,
      ).to.equal(true)
      expect(
        policy.tests.some(({ answered }) => answered !== undefined),
        policy.id,
      ).to.equal(true)
    }
  })
})

describe('each policy of the library, end to end', () => {
  let recipient: Bank
  let installation: Installation
  let gateway: Gateway
  const callers = new Map<string, TestParty>()

  before(async () => {
    recipient = await startBank()
    installation = await createInstallation(recipient.url, recipient.url)
    const keys = join(installation.folder, 'keys')
    const sealing = await generateKeyPair('ECDH-ES', { extractable: true })
    const jwk = { ...(await exportJWK(sealing.publicKey)), alg: 'ECDH-ES' }
    writeFileSync(join(keys, 'sealing.json'), JSON.stringify(jwk))
    const known = [installation.platform, installation.bank]
    for (const party of known) callers.set(party.id, party)
    const ids = new Set(LIBRARY.flatMap(({ policy }) => [policy.from, policy.to]))
    for (const id of ids) {
      if (callers.has(id)) continue
      const party = await createTestParty(id)
      callers.set(id, party)
      party.writeKeys(keys)
      const auth = `auth: [ { jwt: { jwks: keys/${id}.jwks.json } } ]`
      const how = `url: ${recipient.url}, encryptTo: keys/sealing.json, ${auth}`
      const role = ROLES[id] ?? 'other'
      appendFileSync(installation.configFile, `  - { id: ${id}, role: ${role}, ${how} }\n`)
    }
    gateway = await installation.start()
  })
  after(async () => {
    await gateway.close()
    await recipient.close()
    installation.remove()
  })

  /** A sample as its sender would send it: with tokens of this installation's keys. */
  function messageOf(policy: Policy, side: Side, sample: YamlNode): SampleMessage {
    const ring = openKeyRing(join(installation.folder, 'data', 'keys'))
    const table = createTransforms({ keys: ring, clock: systemClock })
    return sampleMessage(sample, policy[side].body, mintFor(policy, table, side))
  }

  async function relay(policy: Policy, { request, response }: PolicyTest) {
    recipient.answer = (_request, answer) => {
      if (response === undefined) return json(answer, '{}')
      const { body, contentType } = messageOf(policy, 'response', response)
      return answer.writeHead(200, { 'content-type': contentType }).end(body)
    }
    const jwt = await callers.get(policy.from)?.jwt(policy.to)
    const path = policy.when.path.replaceAll(/\{[^}]+\}/g, 'A-1')
    const sent = request === undefined ? undefined : messageOf(policy, 'request', request)
    const type = sent === undefined ? {} : { 'content-type': sent.contentType }
    return call(`${gateway.relayUrl}/${policy.to}${path}`, {
      method: policy.when.method,
      headers: { authorization: `Bearer ${jwt}`, ...type },
      ...(sent === undefined ? {} : { body: sent.body }),
    })
  }

  function expectSame({ body }: Direction, want: YamlNode, got: Buffer, contentType = ''): void {
    const differences: string[] = []
    const left = leftOf(got, readFormat(contentType, body))
    compareBody(want, left, (at, message) => differences.push(`${at.file}:${at.line} ${message}`))
    expect(differences).to.deep.equal([])
  }

  /** A part of a message shows a rule at work; the gateway still asks for the consent. */
  function lacksConsent({ legal }: Policy, { request }: PolicyTest): boolean {
    if (legal.consent === undefined) return false
    return request?.node !== 'map' || !request.entries.has('consent')
  }

  for (const { policy } of LIBRARY) {
    for (const test of policy.tests) {
      it(`${policy.id}: ${test.name}`, async () => {
        recipient.received.length = 0
        const { status, headers, body } = await relay(policy, test)
        const evidenceId = String(headers['evidence-id'])
        const record = await findRecord(installation.config(), evidenceId)
        expect(record).to.have.nested.property('policy.id', policy.id)
        expect(leaksIn(JSON.stringify(record), [...test.never])).to.deep.equal([])
        if (test.refused !== undefined || lacksConsent(policy, test)) {
          expect(body).to.include(test.refused ?? '/problems/consent-missing')
          expect(status).to.be.within(403, 422)
          expect(recipient.received).to.deep.equal([])
          return
        }
        expect(status, body).to.equal(200)
        const arrived = recipient.everything()
        expect(leaksIn(arrived, [...test.never])).to.deep.equal([])
        const [received] = recipient.received
        if (test.relayed !== undefined && received !== undefined)
          expectSame(policy.request, test.relayed, received.bytes, received.headers['content-type'])
        if (test.answered !== undefined)
          expectSame(
            policy.response,
            test.answered,
            Buffer.from(body),
            String(headers['content-type']),
          )
      })
    }
  }
})
