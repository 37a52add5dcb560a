import { expect } from 'chai'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { Problem } from '../../base/problem.ts'
import type { Answer } from '../support/client.ts'
import { collect, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { checkLog, findFitting, readRecords } from '../support/records.ts'
import { useRelay } from '../support/relay.ts'
import { beginAt, offsetOf, partFields, resume } from '../support/uploads.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 2000 }
const ROWS = '/harbour-bank/rows'
const BODY = Buffer.from(rows(3000))
const LOANS = Array.from({ length: 3000 }, (_, loan) => loan)

describe('faults while resumable uploads are under way', () => {
  const relay = useRelay(startTaker, { each: true })
  const send = relay.sendPart

  beforeEach(() => relay.installation.addPolicy('rows.yaml', rowsPolicy()))

  const left = (folder: string) => readdirSync(relay.inFolder('data', folder))

  /** Has the recipient take the body, and keep the answer until it is told to give it. */
  function holdAnswers(): { readonly arrived: Promise<void>; readonly answer: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const held: ServerResponse[] = []
    relay.recipient.take = (incoming, response) => {
      held.push(response)
      void collect(incoming).then((one) => {
        relay.recipient.taken.push(one)
        resolve()
      })
    }
    const answer = () => {
      for (const response of held) response.setHeader('content-type', 'application/json').end('{}')
    }
    return { arrived: promise, answer }
  }

  it('kill -9 in the middle: nothing is left, nothing was relayed, and the caller begins anew', async () => {
    const gateway = await relay.spawn()
    const upload = await beginAt(send, ROWS)
    await send({ method: 'PATCH', path: upload, headers: partFields(0, false), body: BODY })
    expect(await offsetOf(send, upload)).to.equal(BODY.length)
    expect(left('spool')).to.deep.equal([])
    await gateway.kill('SIGKILL')
    const again = await relay.spawn()
    expect((await send({ method: 'HEAD', path: upload })).answer?.status).to.equal(404)
    expect([...left('spool'), ...left('uploads')]).to.deep.equal([])
    expect(relay.recipient.taken).to.deep.equal([])
    const answer = await resume(send, await beginAt(send, ROWS), BODY)
    expect(answer.status).to.equal(200)
    expect(relay.recipient.taken).to.have.length(1)
    await again.kill('SIGTERM')
    await checkLog(relay.installation.config())
  })

  it('kill -9 once it is complete: its caller learns so, and nothing is relayed twice', async () => {
    const { arrived } = holdAnswers()
    const gateway = await relay.spawn()
    const upload = await beginAt(send, ROWS)
    const lost = resume(send, upload, BODY).catch(() => undefined)
    await arrived
    await gateway.kill('SIGKILL')
    expect(await lost).to.equal(undefined)
    const again = await relay.spawn()
    const { answer } = await send({ method: 'HEAD', path: upload })
    expect(answer?.status).to.equal(204)
    expect(answer?.headers).to.include({
      ...{ 'upload-complete': '?1', 'upload-offset': String(BODY.length) },
      'evidence-outcome': 'unknown',
    })
    const rid = answer?.headers['evidence-id']
    for (const body of [Buffer.alloc(0), BODY]) {
      const headers = partFields(BODY.length, true)
      const refused = await send({ method: 'PATCH', path: upload, headers, body })
      expect(refused.answer?.status).to.equal(400)
    }
    await again.kill('SIGTERM')
    const records = (await readRecords(relay.installation.config())).filter(
      (each) => each.rid === rid,
    )
    expect(records).to.have.length(1)
    expect(records[0]).to.include({ kind: 'exchange', outcome: 'unknown' })
    expect(records[0]).to.have.nested.property('request.upload.parts', 1)
    expect(relay.recipient.taken).to.have.length(1)
  })

  it('a caller that is gone when the answer comes learns what became of it', async () => {
    const { arrived, answer } = holdAnswers()
    await relay.start({ limits: LIMITS })
    const upload = await beginAt(send, ROWS)
    const controller = new AbortController()
    const headers = { ...partFields(0, true), authorization: await relay.authorization() } // prettier-ignore
    const { signal } = controller
    const gone = fetch(relay.gateway.relayUrl + upload, {
      method: 'PATCH',
      headers,
      body: BODY,
      signal,
    })
    await arrived
    controller.abort()
    await gone.catch(() => undefined)
    const pending = await send({ method: 'HEAD', path: upload })
    expect(pending.answer?.headers).to.include({ 'upload-complete': '?1', 'evidence-outcome': 'pending' }) // prettier-ignore
    expect((await send({ method: 'DELETE', path: upload })).answer?.status).to.equal(400)
    answer()
    const record = await relay.recordOf(pending.answer?.headers['evidence-id'])
    expect(record).to.include({ kind: 'exchange', outcome: 'failed', recipientStatus: 200 })
    const head = await send({ method: 'HEAD', path: upload })
    expect(head.answer?.headers['evidence-outcome']).to.equal('failed;status=200;recipient-status=200') // prettier-ignore
    expect(relay.recipient.taken).to.have.length(1)
  })

  it('a recipient that cannot be reached: all that came is kept, and it is completed again', async () => {
    const { port } = new URL(relay.recipient.url)
    await relay.recipient.close()
    await relay.start({ limits: LIMITS })
    const upload = await beginAt(send, ROWS)
    const failed = await resume(send, upload, BODY, [10_000])
    expect(failed.status).to.equal(502)
    expect(failed.body).to.include('/problems/recipient-unreachable')
    expect(failed.headers).to.include({ 'upload-complete': '?0', 'upload-offset': String(BODY.length) }) // prettier-ignore
    const first = await relay.recordOf(failed.headers['evidence-id'])
    expect(first).to.include({ outcome: 'failed', problem: 'recipient-unreachable' })
    expect(left('uploads')).to.deep.equal([])
    const back = await startTaker(Number(port))
    try {
      const answer = await resume(send, upload, BODY)
      expect(answer.status, answer.body).to.equal(200)
      expect(answer.headers['evidence-id']).to.not.equal(failed.headers['evidence-id'])
      expect(back.taken).to.have.length(1)
      const second = await relay.recordOf(answer.headers['evidence-id'])
      expect(second).to.include({ outcome: 'answered' })
      expect(second).to.have.nested.property('request.upload.parts').within(1, 2)
    } finally {
      await back.close()
    }
  })

  it('a recipient that breaks off is asked once', async () => {
    let asked = 0
    relay.recipient.take = (_request, response) => {
      asked++
      response.socket?.destroy()
    }
    await relay.start({ limits: LIMITS })
    const upload = await beginAt(send, ROWS)
    const failed = await resume(send, upload, BODY)
    expect(failed.status).to.equal(502)
    expect(failed.headers['upload-complete']).to.equal('?1')
    const { answer } = await send({ method: 'HEAD', path: upload })
    expect(answer?.headers['evidence-outcome']).to.equal('failed;status=502;problem=recipient-failed') // prettier-ignore
    expect(asked).to.equal(1)
  })

  it('a policy that is gone by then refuses it', async () => {
    let matches = true
    await relay.start({
      limits: LIMITS,
      refit: (parts) => ({
        ...parts,
        match: (...way) => (matches ? parts.match(...way) : undefined),
      }),
    })
    const upload = await beginAt(send, ROWS)
    matches = false
    const answer = await resume(send, upload, BODY)
    expect(answer.status).to.equal(404)
    expect(answer.headers['upload-complete']).to.equal('?1')
    const record = await relay.recordOf(answer.headers['evidence-id'])
    expect(record).to.include({ kind: 'refusal', problem: 'route-unknown' })
  })

  it('two appends at once: the later one goes on, and no byte is lost or doubled', async () => {
    await relay.start({ limits: LIMITS })
    const cut = fc.integer({ min: 1, max: BODY.length - 1 })
    await fc.assert(
      fc.asyncProperty(cut, cut, async (first, second) => {
        relay.recipient.taken.length = 0
        const upload = await beginAt(send, ROWS)
        const part = { method: 'PATCH', path: upload, headers: partFields(0, true) }
        // Both promise all of the body, and stall where they were cut.
        const stall = { ...part.headers, 'content-length': String(BODY.length) }
        const stalled = [first, second].map((size) =>
          send({ ...part, headers: stall, body: BODY.subarray(0, size), open: true }),
        )
        // One of them may come after its question, or cut it off: it asks again.
        let answer: Answer | undefined
        while (answer === undefined || answer.status === 409)
          answer = await resume(send, upload, BODY).catch(() => undefined)
        expect(answer.status, answer.body).to.equal(200)
        for (const { answer: got } of await Promise.all(stalled)) {
          expect(got?.status).to.be.oneOf([undefined, 400, 409])
        }
        const [taken, ...more] = relay.recipient.taken
        expect(more).to.deep.equal([])
        const loans = [...(taken?.body.toString() ?? '').matchAll(/"loan":"L-(\d+)"/g)]
        expect(loans.map(([, loan]) => Number(loan))).to.deep.equal(LOANS)
      }),
      { numRuns: 12 },
    )
  })

  it('a disk that is full: a clear problem, and nothing that was taken is lost', async () => {
    let full = false
    await relay.start({
      limits: LIMITS,
      refit: ({ uploads, ...parts }) => ({
        ...parts,
        uploads: {
          ...uploads,
          room: (...piece) => {
            if (full) throw new Problem('overloaded', 'the disk is full')
            uploads.room(...piece)
          },
        },
      }),
    })
    const upload = await beginAt(send, ROWS)
    const half = BODY.subarray(0, 100_000)
    await send({ method: 'PATCH', path: upload, headers: partFields(0, false), body: half })
    full = true
    const refused = await resume(send, upload, BODY)
    expect(refused.status).to.equal(503)
    expect(refused.headers).to.have.property('retry-after')
    expect(refused.headers).to.not.have.property('upload-complete')
    expect(await offsetOf(send, upload)).to.equal(100_000)
    full = false
    expect((await resume(send, upload, BODY)).status).to.equal(200)
    expect(relay.recipient.taken).to.have.length(1)
  })

  it('hundreds of megabytes cost no memory', async () => {
    const gateway = await relay.spawn()
    try {
      const peak = () => {
        const status = readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8')
        return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024
      }
      const upload = await beginAt(send, ROWS)
      const part = Buffer.alloc(25_000_000, rows(1))
      let first = 0
      for (let offset = 0; offset < 8 * part.length; offset += part.length) {
        const headers = partFields(offset, false)
        const { answer } = await send({ method: 'PATCH', path: upload, headers, body: part })
        expect(answer?.headers['upload-offset']).to.equal(String(offset + part.length))
        if (offset === part.length) first = peak()
      }
      expect(peak() - first).to.be.lessThan(60_000_000)
      expect((await send({ method: 'DELETE', path: upload })).answer?.status).to.equal(204)
    } finally {
      await gateway.kill('SIGTERM')
    }
  })

  it('a stop of the gateway seals that it ended', async () => {
    await relay.start({ limits: LIMITS })
    const upload = await beginAt(send, ROWS)
    const { answer } = await send({ method: 'HEAD', path: upload })
    await relay.stop()
    const rid = answer?.headers['evidence-id']
    const record = await findFitting(relay.installation.config(), (each) => each.rid === rid)
    expect(record).to.include({ kind: 'refusal', problem: 'overloaded' })
  })
})
