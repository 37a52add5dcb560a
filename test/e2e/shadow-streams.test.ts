import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'
import { call } from '../support/client.ts'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_BYTES_MAX: 200_000 }
const COUNT = 500

/** A version that is only being watched. */
const watched = (policy: string) => policy.replace('version: 1', 'version: 2\nmode: shadow')
const NAME = '    $[*].mobile: { kind: mobile, tokenize: opaque }\n'

interface Status {
  readonly id: string
  readonly version: number
  readonly uses: number
  readonly differing: number
  readonly unseen: number
  readonly refused: Record<string, number>
  readonly rules: readonly { text: string; hits: number }[]
}

describe('long bodies under a version that is only being watched', () => {
  const relay = useRelay(startTaker, { each: true })

  beforeEach(() => {
    relay.recipient.take = (incoming, response) => {
      incoming.resume().on('error', () => undefined)
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      incoming.on('end', () => response.end(rows(COUNT)))
    }
  })

  async function send(body: string, headers: Readonly<Record<string, string>> = {}) {
    const sending = await relay.sendLong(headers)
    await sending.write(body)
    sending.end()
    return await sending.answer()
  }

  /** Both versions after one exchange. */
  async function statuses(): Promise<readonly [Status, Status]> {
    for (let turn = 0; turn < 100; turn++) {
      const { body } = await call(`${relay.gateway.adminUrl}/api/policies`, { method: 'GET' })
      const { policies } = JSON.parse(body) as { policies: Status[] }
      const [mine, its] = [1, 2].map((version) =>
        policies.find((policy) => policy.id === 'rows' && policy.version === version),
      )
      if (!mine || !its) throw new Error('a version is missing')
      if (its.uses + its.unseen > 0) return [mine, its]
      await sleep(10)
    }
    throw new Error('the shadow version saw nothing')
  }
  const hitsOf = ({ rules }: Status) => rules.map(({ hits }) => hits)

  const SAME = rowsPolicy()
  // prettier-ignore
  const WATCHED: readonly { name: string; shadow: string; body?: string; differing: number; refused?: Record<string, number>; hits: number[] }[] = [
    { name: 'does the same',             shadow: SAME,                                                    differing: 0, hits: [COUNT, COUNT, COUNT, COUNT, COUNT] },
    { name: 'does the same, a short request', shadow: SAME, body: row(1),                                 differing: 0, hits: [1, 1, 1, COUNT, COUNT] },
    { name: 'drops a field',             shadow: SAME.replace('$[*].note:   keep', '$[*].note:   drop'),  differing: 1, hits: [COUNT, COUNT, COUNT, COUNT, COUNT] },
    { name: 'drops a field of the answer', shadow: SAME.replace(/note: {3}keep\ntests/, 'note: drop\ntests'), differing: 1, hits: [COUNT, COUNT, COUNT, COUNT, COUNT] },
    { name: 'would let a name out',      shadow: SAME.replace(NAME, `${NAME}    $[*].name: keep\n`),      differing: 1, refused: { 'leak-detected': 1 }, hits: [0, 0, 0, 0, 0, 0] },
    { name: 'would refuse a field',      shadow: SAME.replace('$[*].note:   keep', '$[*].note:   refuse'), differing: 1, refused: { 'value-unsuitable': 1 }, hits: [0, 0, 0, 0, 0] },
    { name: 'would hold back, and find no consent', shadow: SAME.replace('basis: separate-consent', 'basis: separate-consent, consent: { at: "$[0].consent" }'), differing: 1, refused: { 'consent-missing': 1 }, hits: [COUNT, COUNT, COUNT, 0, 0] },
  ]
  for (const { name, shadow, body = rows(COUNT), differing, refused = {}, hits } of WATCHED) {
    it(`sees them where it ${name}`, async () => {
      relay.installation.addPolicy('rows.yaml', SAME)
      relay.installation.addPolicy('shadow.yaml', watched(shadow))
      await relay.start({ limits: LIMITS })
      const answer = await send(body)
      expect(answer.status, answer.body.toString()).to.equal(200)
      expect(answer.body.toString().trimEnd().split('\n')).to.have.length(COUNT)
      const [mine, its] = await statuses()
      expect(mine).to.include({ uses: 1 })
      expect(its).to.deep.include({ uses: 1, unseen: 0, differing, refused })
      expect(hitsOf(its)).to.deep.equal(hits)
    })
  }

  it('counts what each rule of the version in force met in them', async () => {
    relay.installation.addPolicy('rows.yaml', SAME)
    relay.installation.addPolicy('shadow.yaml', watched(SAME))
    await relay.start({ limits: LIMITS })
    await send(rows(COUNT))
    expect(hitsOf((await statuses())[0])).to.deep.equal([COUNT, COUNT, COUNT, COUNT, COUNT])
  })

  it('differs where the version in force stops a body in the middle and it would not', async () => {
    relay.installation.addPolicy('rows.yaml', SAME)
    relay.installation.addPolicy(
      'shadow.yaml',
      watched(SAME.replaceAll('note:   keep', 'note:   drop')),
    )
    await relay.start({ limits: LIMITS })
    const answer = await send(rows(COUNT) + row(COUNT, 'call 13900139000'))
    expect(answer.status).to.equal(422)
    expect((await statuses())[1]).to.deep.include({ uses: 1, differing: 1, refused: {} })
  })

  it('says of how many it saw nothing, for they were refused unread', async () => {
    relay.installation.addPolicy('rows.yaml', SAME)
    relay.installation.addPolicy('shadow.yaml', watched(SAME))
    await relay.start({ limits: LIMITS })
    const answer = await send(row(1), { 'content-length': '200001' })
    expect(answer.status).to.equal(413)
    expect((await statuses())[1]).to.deep.include({ uses: 0, unseen: 1, differing: 0 })
    const { body } = await call(`${relay.gateway.adminUrl}/metrics`, { method: 'GET' })
    expect(body).to.match(
      /sealgate_shadow_unseen_total\{policy="rows",version="2",mode="shadow"\} 1\n/,
    )
  })
})
