import canonicalize from 'canonicalize'
import { expect } from 'chai'
import fc from 'fast-check'
import { toBase64url } from '../../base/base64url.ts'
import { Problem } from '../../base/problem.ts'
import { type JsonObject, mergeDrafts, readDraft, writeDraft } from '../../evidence/draft.ts'
import { indexRow, knownRow } from '../../evidence/index/fields.ts'
import {
  draftIntent,
  draftNote,
  draftOutcome,
  draftRefusal,
  originMembers,
  writePayload,
} from '../../evidence/payload.ts'
import type { Intent, Outcome, Refusal } from '../../evidence/record.ts'
import { ORIGIN } from './support.ts'

const RID = '01890a5d-ac96-774b-bcce-b302099a8057'
const CLOCK = { source: 'system', driftUs: -12 }
const place = { seq: 7, prev: 'A'.repeat(43) }
const random = (size: number) => Buffer.alloc(size, 1)

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const count = fc.nat()
const us = fc.bigInt(0n, 4_000_000_000_000_000n)
const digests = fc.array(fc.constantFrom('b'.repeat(43), 'a'.repeat(43), '_'.repeat(43)))
const entry = fc.record(
  { rule: text, path: text, action: text, count, kind: text, class: fc.constantFrom('C1', 'C3') },
  { requiredKeys: ['rule', 'path', 'action', 'count'] },
)
const envelope = fc.record({ name: text, algorithm: text, weak: fc.array(text, { maxLength: 3 }) })
const message = fc.record(
  {
    method: text,
    mediaType: text,
    length: count,
    forwardedLength: count,
    manifest: fc.array(entry, { maxLength: 4 }),
    unnamed: count,
    coding: text,
    streamed: fc.constant(true),
    void: fc.constant(true),
    rows: fc.record({ count, received: text, forwarded: text }),
    envelopes: fc.record({ opened: envelope, sealed: envelope }, { requiredKeys: [] }),
    claims: fc.constant([]),
  },
  {
    requiredKeys: ['mediaType', 'length', 'forwardedLength', 'manifest', 'unnamed', 'claims'],
  },
)
const stream = fc.record({
  method: text,
  mediaType: text,
  streamed: fc.constant(true),
  claims: fc.constant([]),
})
const caller = fc.record({ id: text, auth: text, key: text })
const policy = fc.record({ id: text, version: count, digest: text })
const links = fc.dictionary(fc.string({ maxLength: 4 }), text)
const intents = fc.record(
  {
    rid: fc.constant(RID),
    receivedUs: us,
    caller,
    recipient: text,
    route: text,
    policy,
    purpose: text,
    legal: fc.record(
      { basis: text, pia: fc.record({ id: text, date: text }) },
      { requiredKeys: ['basis'] },
    ),
    custody: fc.record({ until: text }),
    links,
    request: fc.oneof(message, stream),
  },
  {
    requiredKeys: [
      'rid',
      'receivedUs',
      'caller',
      'recipient',
      'route',
      'policy',
      'purpose',
      'legal',
      'links',
      'request',
    ],
  },
) as fc.Arbitrary<Intent>
const outcomes = fc.record(
  {
    result: fc.constantFrom('answered', 'refused', 'failed'),
    status: count,
    recipientStatus: count,
    problem: text,
    sentUs: us,
    responseReceivedUs: us,
    answeredUs: us,
    request: message,
    links,
    response: message,
  },
  { requiredKeys: ['result'] },
) as fc.Arbitrary<Outcome>

/** Whether a text is what RFC 8785 says, by the library that made records before. */
function expectCanonical(json: string): void {
  expect(json).to.equal(canonicalize(JSON.parse(json)))
}

/** The same without an empty name, which no record has. */
function withNames({ caller: by, policy: under, ...intent }: Intent): Intent {
  const named = (name: string) => `x${name}`
  const keys = Object.entries(intent.links).map(([name, key]) => [name, named(key)] as const)
  return {
    ...intent,
    caller: { ...by, id: named(by.id) },
    policy: { ...under, id: named(under.id) },
    recipient: named(intent.recipient),
    route: named(intent.route),
    links: Object.fromEntries(keys),
  }
}

describe('drafts', () => {
  it('are RFC 8785 text in the journal and under the seal, whatever the facts', () => {
    const origin = originMembers(ORIGIN, 'instance-1')
    fc.assert(
      fc.property(intents, outcomes, digests, (intent, outcome, sd) => {
        const first = draftIntent(intent, sd, CLOCK)
        const second = draftOutcome(RID, outcome, sd)
        const merged = mergeDrafts(first, second)
        for (const draft of [first, second, merged]) expectCanonical(writeDraft(draft))
        expectCanonical(writePayload(merged, origin, place, random))
      }),
    )
  })

  it('are the same after a restart', () => {
    fc.assert(
      fc.property(intents, outcomes, digests, (intent, outcome, sd) => {
        const [first, second] = [draftIntent(intent, sd, CLOCK), draftOutcome(RID, outcome, sd)]
        const origin = originMembers(ORIGIN, 'instance-1')
        const read = mergeDrafts(readDraft(writeDraft(first)), readDraft(writeDraft(second)))
        const seal = (draft: typeof read) => writePayload(draft, origin, place, random)
        expect(seal(read)).to.equal(seal(mergeDrafts(first, second)))
      }),
    )
  })

  it('tell an index what their payload says, or nothing', () => {
    const header = `{"alg":"ES256","iat":0,"typ":"evr+jwt","x5t#S256":"${place.prev}"}`
    const origin = originMembers(ORIGIN, 'instance-1')
    let told = 0
    fc.assert(
      fc.property(intents.map(withNames), outcomes, (intent, outcome) => {
        const draft = mergeDrafts(draftIntent(intent, [], CLOCK), draftOutcome(RID, outcome, []))
        expect(draft.facts === undefined).to.equal(outcome.links !== undefined)
        if (draft.facts === undefined) return
        const payload = writePayload(draft, origin, place, random)
        const jws = [header, payload, Buffer.alloc(64)].map((part) => toBase64url(part)).join('.')
        const { prev: _, ...row } = indexRow(jws, 0)
        const { rid, kind, instance, seq, digest } = row
        told += 1
        const record = { rid, kind, instance, seq, jws }
        expect(knownRow(record, { ...draft.facts, digest })).to.deep.equal(row)
      }),
    )
    expect(told).to.be.greaterThan(5)
  })

  it('of refusals and notes are RFC 8785 text too', () => {
    const refusals = fc.record(
      { caller, policy, recipient: text, route: text, problem: text, status: count },
      { requiredKeys: ['problem', 'status'] },
    )
    const known = { rid: RID, receivedUs: 1n, answeredUs: 2n, claims: [] }
    fc.assert(
      fc.property(refusals, fc.dictionary(fc.stringMatching(/^[a-z]{3}$/), text), (facts, note) => {
        const refusal = { ...known, ...facts } as Refusal
        expectCanonical(writeDraft(draftRefusal(refusal, [], CLOCK)))
        const at = { receivedUs: 1n, clock: CLOCK }
        expectCanonical(writeDraft(draftNote('clock', RID, note, at, [])))
      }),
    )
  })

  const note = (facts: JsonObject) => () => draftNote('clock', RID, facts, { receivedUs: 1n }, [])
  const intentWith = (purpose: string) => () => {
    const [intent] = fc.sample(intents, 1)
    if (intent !== undefined) draftIntent({ ...intent, purpose }, [], CLOCK)
  }
  // prettier-ignore
  const REFUSED: { name: string; make: () => unknown; detail: string }[] = [
    { name: 'a lone surrogate in a note',     make: note({ a: '\ud800' }),       detail: 'no canonical form' },
    { name: 'a lone surrogate in an intent',  make: intentWith('a\udc00b'),      detail: 'no canonical form' },
    { name: 'a number that is not finite',    make: note({ a: Number.NaN }),     detail: 'no canonical form' },
    { name: 'a name that would need escapes', make: note({ 'a"b': 1 }),          detail: 'a member of no record' },
  ]
  for (const { name, make, detail } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(make).to.throw(Problem, detail).with.property('slug', 'internal')
    })
  }

  it('keeps a text that only looks like an escape', () => {
    const draft = draftNote('clock', RID, { a: '\\ud800 null' }, { receivedUs: 1n }, [])
    expectCanonical(writeDraft(draft))
    expect(JSON.parse(writeDraft(draft))).to.have.property('a', '\\ud800 null')
  })
})
