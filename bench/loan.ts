/** The synthetic loan that benchmarks send: its policy, bodies of any size, and the bank's answer. @module */

/** What the bank answers. */
export const ANSWER = JSON.stringify({
  status: 'accepted',
  applicationId: 'APP-1',
  limit: '50000.00',
})

/** Eight personal fields, in three tokens, a pseudonym, two masks and two drops; the rest is kept. */
export const POLICY = `policy: bench
version: 1
title: { zh: 性能, en: Benchmark }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /bench }
purpose: credit-assessment
legal: { basis: separate-consent, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { links: { application: $.applicationId }, custody: none, retain: 5y }
request:
  unnamed: drop
  fields:
    $.applicationId:      keep
    $.amount:             keep
    $.applicant.name:     { kind: name, mask: surname }
    $.applicant.idNumber: { kind: resident-id, tokenize: opaque }
    $.applicant.mobile:   { kind: mobile, tokenize: opaque }
    $.applicant.email:    drop
    $.applicant.address:  { kind: address, mask: address }
    $.card:               { kind: bank-card, tokenize: opaque }
    $.spouse.name:        drop
    $.spouse.mobile:      { kind: mobile, pseudonymise: hmac-sha-256 }
    $.items:              keep
response:
  unnamed: drop
  fields: { $.status: keep, $.applicationId: keep, $.limit: keep }
tests:
  - name: the mobile number is a token
    request: { applicant: { mobile: "13800138000" } }
    relayed: { applicant: { mobile: { token: mobile } } }
    never: [ "13800138000" ]
`

/** A body of about `kb` KB: eight personal fields, the rest plain order lines. */
export function makeBody(kb: number): Buffer {
  const items: object[] = []
  const body = {
    applicationId: 'APP-1',
    amount: '50000.00',
    applicant: {
      name: '王小明',
      idNumber: '11010519491231002X',
      mobile: '13800138000',
      email: 'wang@example.com',
      address: '北京市海淀区中关村大街27号院3号楼2单元501室',
    },
    card: '6217000012345678907',
    spouse: { name: '李静', mobile: '13900139000' },
    items,
  }
  let bytes = Buffer.byteLength(JSON.stringify(body))
  while (bytes < kb * 1024 - 60) {
    const item = { sku: `article ${items.length}`, price: '12.50', count: 3, note: 'blue, boxed' }
    items.push(item)
    bytes += JSON.stringify(item).length + (items.length > 1 ? 1 : 0)
  }
  return Buffer.from(JSON.stringify(body))
}
