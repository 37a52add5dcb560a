import { expect } from 'chai'
import { startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096 }

/** A policy of one body format. */
function formatPolicy(body: string, fields: string, sample: string): string {
  return `policy: long
version: 1
title: { zh: 长报文, en: Long }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /long }
purpose: credit-assessment
legal: { basis: separate-consent, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { custody: none, retain: 5y }
request:
  unnamed: drop
  ${body}
  fields: { ${fields} }
response: { unnamed: drop, fields: { $.none: keep } }
tests: [ { name: hides a number, request: ${sample}, never: [ "13800138000" ] } ]
`
}

describe('long bodies of other formats', () => {
  const relay = useRelay(startTaker, { each: true })
  const LINE = '客户电话13800138000，已还款。\n'
  const pairs = Array.from({ length: 200 }, (_, n) => `a${n}=x${n}&m${n}=13800138000`)
  const members = Array.from({ length: 200 }, (_, n) => `$.a${n}: keep`)
  // prettier-ignore
  const FORMATS: readonly { name: string; policy: string; type: string; body: string; want: string }[] = [
    {
      name: 'plain text, redacted', policy: formatPolicy('body: { format: text }', '$: { redact: text }', '"打13800138000"'),
      type: 'text/plain', body: LINE.repeat(3000), want: '客户电话[mobile]，已还款。\n'.repeat(3000),
    },
    {
      name: 'a form', policy: formatPolicy('', members.join(', '), '{ a1: x, m: "13800138000" }'),
      type: 'application/x-www-form-urlencoded', body: pairs.join('&'), want: pairs.map((pair) => pair.split('&')[0]).join('&'),
    },
  ]
  for (const { name, policy, type, body, want } of FORMATS) {
    it(`relays ${name}`, async () => {
      relay.installation.addPolicy('long.yaml', policy)
      await relay.start({ limits: LIMITS })
      const sending = await relay.sendLong({ 'content-type': type }, 'long')
      const bytes = Buffer.from(body)
      for (let at = 0; at < bytes.length; at += 4001) await sending.write(bytes.subarray(at, at + 4001)) // prettier-ignore
      sending.end()
      const answer = await sending.answer()
      expect(answer.status, answer.body.toString()).to.equal(200)
      expect(relay.recipient.taken[0]?.body.toString() === want).to.equal(true)
      const record = await relay.recordOf(answer.headers['evidence-id'])
      expect(record['request']).to.have.property('streamed', true)
    })
  }
})
