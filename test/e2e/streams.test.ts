import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { call } from '../support/client.ts'
import { createInstallation } from '../support/installation.ts'
import { row, rows, rowsPolicy, startSending, startTaker, type Taker } from '../support/long.ts'
import { findRecord } from '../support/records.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 800, RECIPIENT_TIMEOUT_MS: 1500 }

describe('bodies that are relayed while they come', () => {
  const relay = useRelay(startTaker)

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    await relay.start({ limits: LIMITS })
  })

  it('rewrites each row, signs a trailer, and seals the rows', async () => {
    const sending = await relay.sendLong()
    for (let i = 0; i < 40; i++) await sending.write(rows(50, i * 50))
    sending.end()
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(200)
    const [taken] = relay.recipient.taken
    expect(taken?.whole).to.equal(true)
    const text = taken?.body.toString() ?? ''
    const lines = text.trimEnd().split('\n')
    expect(lines).to.have.length(2000)
    expect(JSON.parse(lines[1999] ?? '')).to.include({ loan: 'L-1999', note: 'ordinary' })
    expect(text).to.not.include('13800138000').and.not.include('王小明')
    const digest = createHash('sha256').update(text).digest('base64')
    expect(taken?.trailers['content-digest']).to.equal(`sha-256=:${digest}:`)
    expect(taken?.trailers['signature-input']).to.match(/"content-digest";tr/)
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ kind: 'exchange', outcome: 'answered', status: 200 })
    expect(record['request']).to.deep.include({ streamed: true, mediaType: 'application/x-ndjson' })
    expect(record['request']).to.have.nested.property('rows.count', 2000)
    expect(record['request']).to.not.have.property('void')
    expect(readdirSync(relay.inFolder('data/spool'))).to.deep.equal([])
    expect(row(1)).to.include('13800138000')
  })

  /** Sends `count` rows, one batch after the other, with `last` behind them. */
  async function sendRows(
    count: number,
    last = '',
    headers: Readonly<Record<string, string>> = {},
  ) {
    const sending = await relay.sendLong(headers)
    for (let i = 0; i < count; i += 50) await sending.write(rows(50, i))
    await sending.write(last)
    sending.end()
    return sending
  }

  it('shows how far it is', async () => {
    const length = 300_000
    const sending = await relay.sendLong({ 'content-length': String(length) })
    await sending.write(rows(1000))
    const secret = readFileSync(relay.inFolder('data/keys/admin.secret'), 'utf8').trim()
    const headers = { authorization: `Bearer ${secret}` }
    const ask = () => call(`${relay.gateway.adminUrl}/api/transfers`, { method: 'GET', headers })
    let transfers: Record<string, unknown>[] = []
    for (let i = 0; i < 100 && transfers[0]?.['rows'] !== 1000; i++) {
      transfers = (JSON.parse((await ask()).body) as { transfers: typeof transfers }).transfers
      await sleep(5)
    }
    const sent = Buffer.byteLength(rows(1000))
    expect(transfers).to.have.length(1)
    expect(transfers[0]).to.include({ direction: 'request', route: 'POST /rows', rows: 1000 })
    expect(transfers[0]).to.include({ received: sent, remainingBytes: length - sent })
    expect(transfers[0]).to.have.any.keys('remainingSeconds').and.include.keys('bytesPerSecond')
    expect(JSON.stringify(transfers)).to.not.include('13800138000')
    const metrics = async () =>
      (await call(`${relay.gateway.adminUrl}/metrics`, { method: 'GET' })).body
    expect(await metrics()).to.match(/sealgate_transfers\{direction="request"\} 1\n/)
    expect(await metrics()).to.include(`sealgate_transfer_bytes_remaining{direction="request"} ${length - sent}`) // prettier-ignore
    const nobody = await call(`${relay.gateway.adminUrl}/api/transfers`, { method: 'GET' })
    expect(nobody.status).to.equal(401)
    sending.request.destroy()
    for (let i = 0; i < 100; i++) {
      if ((await metrics()).includes('sealgate_transfers{direction="request"} 0\n')) return
      await sleep(10)
    }
    expect.fail('the transfer never ended')
  })

  // prettier-ignore
  const STOPPED: { name: string; last: string; headers?: Record<string, string>; status: number; slug: string; detail: RegExp }[] = [
    { name: 'a leak in a row',      last: row(2000, 'call 13900139000'),       status: 422, slug: 'leak-detected',  detail: /`mobile` \(C2\) in the body, row 2001, `\$\[2000\].note`/ },
    { name: 'a malformed row',      last: '{"loan":"L-2000","loan":"L-1"}\n', status: 422, slug: 'row-invalid', detail: /row 2001: .*name twice/ },
    { name: 'a row that is cut off', last: '{"loan":"L-2000"',                 status: 422, slug: 'row-invalid', detail: /row 2001: .*ends early/ },
    { name: 'bytes that are not UTF-8', last: '{"loan":"L-\udc00"}\n'.replace('\udc00', '\ufffe\u0000'), status: 422, slug: 'row-invalid', detail: /row 2001: .*byte/ },
    { name: 'another digest',       last: '', headers: { 'content-digest': 'sha-256=:AAAA:' }, status: 400, slug: 'body-malformed', detail: /digest/ },
  ]
  for (const { name, last, headers, status, slug, detail } of STOPPED) {
    it(`is stopped by ${name}, and says how many rows had left`, async () => {
      const sending = await sendRows(2000, last, headers)
      const answer = await sending.answer()
      const problem = JSON.parse(answer.body.toString()) as {
        detail: string
        released: { rows: number; bytes: number }
      }
      expect(answer.status, answer.body.toString()).to.equal(status)
      expect(problem).to.include({ type: `/problems/${slug}` })
      expect(problem.detail, problem.detail)
        .to.match(detail)
        .and.match(/had left for the recipient, whose copy is void/)
      // The recipient has at most what is said, and its copy has no end.
      const [taken] = await takenWithin()
      expect(taken?.whole).to.equal(false)
      const text = taken?.body.toString() ?? ''
      expect(text).to.not.match(/1[38]900?1390?00/)
      expect(text.split('\n').length - 1).to.be.within(1, problem.released.rows)
      expect(problem.released.rows).to.be.at.most(2000)
      expect(text.length).to.be.at.most(problem.released.bytes)
      const record = await relay.recordOf(answer.headers['evidence-id'])
      expect(record).to.include({ outcome: 'refused', problem: slug, status })
      expect(record['request']).to.deep.include({ void: true, streamed: true })
      expect(record['request']).to.have.nested.property('rows.count', problem.released.rows)
      expect(record['request']).to.have.property('forwardedLength', problem.released.bytes)
      // What was done to the part that left, as of a body that arrived.
      const { manifest, unnamed } = record['request'] as { manifest: object[]; unnamed: number }
      expect(manifest.find((entry) => 'action' in entry && entry.action === 'tokenize')).to.include(
        { path: '$[*].mobile', kind: 'mobile', class: 'C2', count: problem.released.rows },
      )
      expect(unnamed).to.equal(problem.released.rows)
    })
  }

  async function takenWithin() {
    for (let i = 0; i < 200 && relay.recipient.taken.length === 0; i++) await sleep(10)
    return relay.recipient.taken
  }

  it('refuses what is wrong from the start before anybody hears of it', async () => {
    const sending = await relay.sendLong()
    await sending.write(row(1, 'call 13900139000'))
    await sending.write(rows(200))
    sending.end()
    const answer = await sending.answer()
    expect(answer.status).to.equal(422)
    expect(answer.body.toString()).to.not.include('released')
    expect(relay.recipient.taken).to.deep.equal([])
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ kind: 'refusal', problem: 'leak-detected' })
  })

  it('breaks the connection to the recipient when the caller hangs up', async () => {
    const sending = await relay.sendLong()
    await sending.write(rows(500))
    const [head] = await headOf(relay.recipient)
    sending.request.destroy()
    const [taken] = await takenWithin()
    expect(taken?.whole).to.equal(false)
    const record = await relay.recordOf(head?.headers['evidence-id'])
    expect(record).to.include({ outcome: 'failed', problem: 'body-malformed' })
    expect(record).to.not.have.property('status')
    expect(record['request']).to.deep.include({ void: true })
  })

  it('gives up on a caller that stands still', async () => {
    const sending = await relay.sendLong()
    await sending.write(rows(500))
    const [head] = await headOf(relay.recipient)
    const [taken] = await takenWithin()
    expect(taken?.whole).to.equal(false)
    sending.request.destroy()
    const record = await relay.recordOf(head?.headers['evidence-id'])
    expect(record).to.include({ outcome: 'failed', problem: 'body-malformed' })
  })

  // prettier-ignore
  const BROKEN: { name: string; take: Taker['take']; status: number; slug: string }[] = [
    { name: 'resets', take: (incoming) => { incoming.once('data', () => incoming.socket.resetAndDestroy()) }, status: 502, slug: 'recipient-failed' },
    { name: 'closes', take: (incoming) => { incoming.once('data', () => incoming.socket.end()) },             status: 502, slug: 'recipient-failed' },
    { name: 'stands still', take: () => {},                                                                   status: 504, slug: 'recipient-timeout' },
  ]
  for (const { name, take, status, slug } of BROKEN) {
    it(`tells the caller when the recipient ${name}`, async () => {
      relay.recipient.take = take
      const sending = await relay.sendLong()
      const writing = (async () => {
        for (let i = 0; i < 400 && !sending.request.destroyed; i++)
          await sending.write(rows(500, i))
        sending.end()
      })()
      const answer = await sending.answer()
      expect(answer.status, answer.body.toString()).to.equal(status)
      expect(answer.body.toString()).to.include(`/problems/${slug}`).and.include('"released"')
      sending.request.destroy()
      await writing
      const record = await relay.recordOf(answer.headers['evidence-id'])
      expect(record).to.include({ outcome: 'failed', problem: slug, status })
      expect(record['request']).to.deep.include({ void: true })
    })
  }

  it('passes on an answer that comes before the end, and the request counts for nothing', async () => {
    relay.recipient.take = (incoming, response) => {
      incoming.once('data', () => {
        incoming.on('error', () => undefined).resume()
        response.writeHead(413, { 'content-type': 'application/x-ndjson' })
        response.end('{"note":"too much"}\n')
      })
    }
    const sending = await relay.sendLong()
    const writing = (async () => {
      for (let i = 0; i < 400 && !sending.request.destroyed; i++) await sending.write(rows(500, i))
      sending.end()
    })()
    const answer = await sending.answer()
    expect(answer.status).to.equal(413)
    expect(answer.body.toString()).to.equal('{"note":"too much"}\n')
    sending.request.destroy()
    await writing
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ outcome: 'answered', status: 413, recipientStatus: 413 })
    expect(record['request']).to.deep.include({ void: true })
  })

  it('says nothing of rows when the recipient could not be reached', async () => {
    const elsewhere = await createInstallation('http://127.0.0.1:9')
    elsewhere.addPolicy('rows.yaml', rowsPolicy())
    const lonely = await elsewhere.start({ limits: LIMITS })
    try {
      const authorization = `Bearer ${await elsewhere.platform.jwt('harbour-bank')}`
      const sending = startSending(`${lonely.relayUrl}/harbour-bank/rows`, { authorization })
      await sending.write(rows(500))
      sending.end()
      const answer = await sending.answer()
      expect(answer.status).to.equal(502)
      expect(answer.body.toString()).to.include('recipient-unreachable').and.not.include('released')
      const record = await findRecord(elsewhere.config(), answer.headers['evidence-id'])
      expect(record).to.include({ outcome: 'failed', problem: 'recipient-unreachable' })
      expect(record['request']).to.not.have.property('rows')
    } finally {
      await lonely.close()
      elsewhere.remove()
    }
  })
})

/** The head of a request that has just arrived. */
async function headOf(taker: Taker) {
  const before = taker.take
  return await new Promise<[IncomingMessage]>((resolve) => {
    taker.take = (incoming, response) => {
      taker.take = before
      before(incoming, response)
      resolve([incoming])
    }
  })
}
