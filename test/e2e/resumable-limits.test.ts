import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RelayLimits } from '../../gateway/http/limits.ts'
import { call } from '../support/client.ts'
import { createInstallation } from '../support/installation.ts'
import { rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'
import { beginAt, offsetOf, partFields, resume, uploader } from '../support/uploads.ts'

const ROWS = '/harbour-bank/rows'
const BODY = Buffer.from(rows(1000))

describe('limits of resumable uploads', () => {
  const relay = useRelay(startTaker, { install: (url) => createInstallation(url, url) })
  const send = relay.sendPart

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    const back = rowsPolicy().replace('policy: rows', 'policy: back').replace('/rows', '/back')
    const parties = 'from: sunrise-platform\nto: harbour-bank'
    const swapped = 'from: harbour-bank\nto: sunrise-platform'
    relay.installation.addPolicy('back.yaml', back.replace(parties, swapped))
  })
  afterEach(relay.stop)

  const start = (limits: Partial<RelayLimits>) =>
    relay.start({ limits: { BODY_BYTES_MAX: 4096, ...limits } })

  const fill = async (upload: string, bytes: number) => {
    const body = BODY.subarray(0, bytes)
    return (await send({ method: 'PATCH', path: upload, headers: partFields(0, false), body }))
      .answer
  }

  // prettier-ignore
  const COUNTS: { name: string; limits: Partial<RelayLimits>; mine: number; others: number }[] = [
    { name: 'of one party', limits: { UPLOADS_PARTY_MAX: 2 }, mine: 2, others: 1 },
    { name: 'in all',       limits: { UPLOADS_MAX: 2 },       mine: 2, others: 0 },
  ]
  for (const { name, limits, mine, others } of COUNTS) {
    it(`so many ${name}; then one in one piece is relayed as always`, async () => {
      await start(limits)
      const begun: string[] = []
      for (let i = 0; i < mine; i++) begun.push(await beginAt(send, ROWS))
      const error = await beginAt(send, ROWS).catch((thrown: Error) => thrown.message)
      expect(error).to.include('503').and.include('/problems/overloaded')
      const other = uploader(relay.gateway.relayUrl, relay.installation.bank, 'sunrise-platform')
      const its = await beginAt(other, '/sunrise-platform/back').catch(() => undefined)
      expect(its === undefined ? 0 : 1).to.equal(others)
      const version = { 'upload-complete': '?1', 'upload-draft-interop-version': '8' }
      const headers = { 'content-type': 'application/x-ndjson', ...version }
      const { answer, informed } = await send({ method: 'POST', path: ROWS, headers, body: BODY })
      expect(answer?.status).to.equal(200)
      expect(informed).to.deep.equal([])
      await send({ method: 'DELETE', path: begun[0] ?? '' })
      await beginAt(send, ROWS)
    })
  }

  // prettier-ignore
  const BYTES: { name: string; limits: Partial<RelayLimits> }[] = [
    { name: 'of one party',  limits: { UPLOADS_PARTY_BYTES_MAX: 200_000 } },
    { name: 'in all',        limits: { UPLOADS_BYTES_MAX: 200_000 } },
    { name: 'of all spools', limits: { SPOOL_BYTES_MAX: 150_000 } },
  ]
  for (const { name, limits } of BYTES) {
    it(`so many bytes ${name}; what was taken stays, and goes on once there is room`, async () => {
      await start(limits)
      const [first, second] = [await beginAt(send, ROWS), await beginAt(send, ROWS)]
      expect((await fill(first, 70_000))?.status).to.equal(204)
      expect((await fill(second, 70_000))?.status).to.equal(204)
      const refused = await resume(send, first, Buffer.concat([BODY, BODY, BODY]))
      expect(refused.status, refused.body).to.equal(503)
      expect(refused.body).to.include('/problems/overloaded').and.include('space allowed')
      expect(await offsetOf(send, first)).to.be.within(70_000, 200_000)
      await send({ method: 'DELETE', path: second })
      await send({ method: 'DELETE', path: first })
      const third = await beginAt(send, ROWS)
      expect((await resume(send, third, BODY)).status).to.equal(200)
    })
  }

  it('one that lies idle expires; one that is asked for or fed does not', async () => {
    await start({ UPLOAD_IDLE_MS: 400 })
    const [idle, fed] = [await beginAt(send, ROWS), await beginAt(send, ROWS)]
    const { answer } = await send({ method: 'HEAD', path: idle })
    expect(answer?.headers['upload-limit']).to.match(/max-age=0$/)
    for (let i = 0; i < 6; i++) {
      await sleep(150)
      expect(await offsetOf(send, fed)).to.equal(0)
    }
    const gone = await send({ method: 'GET', path: idle })
    expect(gone.answer?.status).to.equal(410)
    expect(gone.answer?.body).to.include('/problems/upload-expired')
    const record = await relay.recordOf(answer?.headers['evidence-id'])
    expect(record).to.include({ kind: 'refusal', problem: 'upload-expired', status: 410 })
  })

  it('one that takes too long in all expires, whatever comes', async () => {
    await start({ UPLOAD_AGE_MS: 700, UPLOAD_IDLE_MS: 60_000 })
    const upload = await beginAt(send, ROWS)
    const never = send({ method: 'PATCH', path: upload, headers: { ...partFields(0, true), 'content-length': '99999' }, body: BODY.subarray(0, 100), open: true }) // prettier-ignore
    expect((await never).answer).to.equal(undefined)
    expect((await send({ method: 'HEAD', path: upload })).answer?.status).to.equal(410)
    expect(relay.recipient.taken).to.deep.equal([])
  })

  it('forgets the oldest ends, and those that are old', async () => {
    await start({ UPLOAD_ENDS_MAX: 2, UPLOAD_END_AGE_MS: 60_000 })
    const ended: string[] = []
    for (let i = 0; i < 4; i++) {
      const upload = await beginAt(send, ROWS)
      if (i % 2 === 0) await resume(send, upload, BODY)
      else await send({ method: 'DELETE', path: upload })
      ended.push(upload)
    }
    const statuses = () => Promise.all(ended.map(async (path) => (await send({ method: 'HEAD', path })).answer?.status)) // prettier-ignore
    expect(await statuses()).to.deep.equal([404, 404, 204, 410])
    await start({ UPLOAD_ENDS_MAX: 2, UPLOAD_END_AGE_MS: 60_000 })
    expect(await statuses()).to.deep.equal([404, 404, 204, 404])
    await start({ UPLOAD_END_AGE_MS: 0 })
    expect(await statuses()).to.deep.equal([404, 404, 404, 404])
  })

  it('where only short bodies are taken, says so at the beginning', async () => {
    writeFileSync(relay.inFolder('keys/cipher.key'), `hex:${'5a'.repeat(32)}\n`, { mode: 0o600 }) // prettier-ignore
    relay.configure(
      `envelopes:
  - id: sealed
    json: { data: data }
    cipher: { algorithm: aes-256-gcm, key: keys/cipher.key }
`,
    )
    const sealed = rowsPolicy('envelope: { open: sealed }').replace('/rows', '/sealed')
    relay.installation.addPolicy('sealed.yaml', sealed.replace('policy: rows', 'policy: sealed'))
    await start({})
    const headers = { 'content-type': 'application/json', 'upload-complete': '?0' }
    const path = '/harbour-bank/sealed'
    const asked = await send({ method: 'OPTIONS', path })
    expect(asked.answer?.headers['upload-limit']).to.equal('max-size=4096, max-age=14400')
    const first = await send({ method: 'POST', path, headers })
    expect(first.answer?.headers['upload-limit']).to.match(/^max-size=4096, /)
    const length = { 'upload-length': '4097' }
    const second = await send({ method: 'POST', path, headers: { ...headers, ...length } })
    expect(second.answer?.status).to.equal(413)
    expect(second.answer?.headers['upload-limit']).to.match(/^max-size=4096, /)
  })

  it('shows those under way to the operator', async () => {
    await start({})
    const upload = await beginAt(send, ROWS, { 'upload-length': String(BODY.length) })
    await fill(upload, 50_000)
    const secret = readFileSync(relay.inFolder('data/keys/admin.secret'), 'utf8').trim()
    const headers = { authorization: `Bearer ${secret}` }
    const ask = async (path: string) => (await call(relay.gateway.adminUrl + path, { method: 'GET', headers })).body // prettier-ignore
    const { transfers } = JSON.parse(await ask('/api/transfers')) as { transfers: object[] }
    expect(transfers).to.have.length(1)
    expect(transfers[0]).to.include({
      ...{ direction: 'upload', caller: 'sunrise-platform', recipient: 'harbour-bank' },
      ...{ route: 'POST /rows', received: 50_000, remainingBytes: BODY.length - 50_000 },
    })
    expect(await ask('/metrics')).to.include('sealgate_transfers{direction="upload"} 1')
    await resume(send, upload, BODY)
    await send({ method: 'DELETE', path: await beginAt(send, ROWS) })
    const metrics = await ask('/metrics')
    expect(metrics).to.include('sealgate_transfers{direction="upload"} 0')
    expect(metrics).to.include('sealgate_uploads_ended_total{end="answered"} 1')
    expect(metrics).to.include('sealgate_uploads_ended_total{end="upload-cancelled"} 1')
    expect(metrics).to.include(`sealgate_transfer_bytes_received_total{direction="upload"} ${BODY.length}`) // prettier-ignore
  })
})
