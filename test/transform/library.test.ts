/** The whole table, bound by a policy as an officer writes it and run by the engine over JSON. */
import { expect } from 'chai'
import { createReport, renderDiagnostic } from '../../base/diagnostic.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { parsePolicy } from '../../gateway/policy/parse.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { openVaultStore } from '../../gateway/token/vault-file.ts'
import { compileRoute } from '../../gateway/transform/compile.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { createTransforms } from '../../gateway/transform/table.ts'
import { loadDictionary } from '../guard/dictionary.ts'
import { clockAt } from './bind.ts'

const POLICY = `policy: library
version: 1
title: { zh: 全部变换, en: Every transform }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /all }
purpose: credit-assessment
legal: { basis: contract, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { links: { borrower: $.idNumber }, custody: none, retain: 5y }
request:
  unnamed: drop
  fields:
    $.amount: keep
    $.watched: monitor
    $.fixed: { constant: unknown }
    $.name: { kind: name, mask: default }
    $.phone: { kind: mobile, mask: { first: 3, last: 4 } }
    $.idNumber: { kind: resident-id, tokenize: opaque }
    $.mobile: { kind: mobile, tokenize: format-preserving }
    $.passport: { kind: passport, tokenize: format-preserving, template: 'E########', as: 'T########' }
    $.email: { kind: email, tokenize: vaulted, ttl: 1d, once: true }
    $.employer: { kind: any, encrypt: deterministic }
    $.account: { kind: account-number, pseudonymise: hmac-sm3 }
    $.birthDate: { kind: birth-date, generalise: age-band }
    $.income: { kind: income, generalise: bucket, size: 5000 }
    $.partnerKey: { kind: mobile, legacy-hash: md5, signOff: 'Li Jing, 2026-11-01', expires: 2027-03-31 }
    $.remark: { redact: text }
response:
  unnamed: drop
  fields:
    $.idNumber: { reveal: resident-id }
    $.mobile: { reveal: mobile }
    $.passport: { reveal: passport, template: 'E########', as: 'T########' }
    $.email: { reveal: email }
    $.employer: { reveal: any }
tests:
  - { name: drops what it does not name, request: { x: 1 }, relayed: {} }
`
const BODY = `{"amount": 1.10, "watched":"a", "fixed":null, "name":"欧阳修", "phone":13900139000,
  "idNumber":"11010519491231002X", "mobile":"13800138000", "passport":"E12345678", "email":"dan@126.com",
  "employer":"灯塔书店", "account":"2021000123456", "birthDate":"1990-01-31", "income":12000.50,
  "partnerKey":"13700137000", "remark":"请拨打13600136000", "secret":"never" }`

// prettier-ignore
const SECRETS = [
  '阳修', '9001390', '0105194912', '3800138', '1234567', 'dan@126', '灯塔', '1000123', '1990-01', '12000.', '1370013', '3600136', 'never',
]

describe('the transform library', () => {
  it('works as a policy writes it, through the engine, there and back', async () => {
    const report = createReport()
    const kinds = loadDictionary()
    const store = openVaultStore(':memory:')
    const table = createTransforms({
      keys: throwawayKeyRing(),
      clock: clockAt('2026-11-24T00:00:00Z'),
      detect: createDetect(kinds),
      defaultMask: (kind) => kinds.get(kind)?.mask,
      vault: store,
    })
    const policy = parsePolicy(report, 'library.yaml', POLICY, {
      transforms: new Set(table.keys()),
    })
    expect(report.diagnostics.map(renderDiagnostic)).to.deep.equal([])
    if (policy === undefined) throw new Error('the policy does not parse')
    const route = compileRoute(policy, table, (_at, message, help) => {
      throw new Error(`${message}: ${help}`)
    })

    const { bytes } = await rewriteBody(route.request, Buffer.from(BODY))
    const relayed = bytes.toString()
    for (const value of SECRETS) {
      expect(BODY).to.include(value)
      expect(relayed).to.not.include(value)
    }
    const { idNumber, mobile, passport, email, employer, ...others } = JSON.parse(relayed)
    expect(relayed).to.include('"amount": 1.10')
    expect(others).to.deep.include({
      watched: 'a',
      fixed: 'unknown',
      name: '欧阳*',
      phone: '139****9000',
      birthDate: '35-44',
      income: '10000..15000',
      partnerKey: '17d35429d964901ff7130b694c4d3879',
      remark: '请拨打[mobile]',
    })

    const home = async () => {
      const answer = JSON.stringify({ idNumber, mobile, passport, email, employer })
      return JSON.parse((await rewriteBody(route.response, Buffer.from(answer))).bytes.toString())
    }
    expect(await home()).to.deep.equal({
      idNumber: '11010519491231002X',
      mobile: '13800138000',
      passport: 'E12345678',
      email: 'dan@126.com',
      employer: '灯塔书店',
    })
    const again = await home().catch((error: unknown) => error)
    expect(again, 'the one-time token').to.have.property('slug', 'value-unsuitable')
    store.close()
  })
})
