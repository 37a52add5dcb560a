import { expect } from 'chai'
import { gunzipSync } from 'node:zlib'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bank, json, startBank } from '../support/bank.ts'
import { type Answer, call, exchangeRaw } from '../support/client.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { decodeRuns, filesBelow, leaksIn, spellings } from '../support/leak.ts'
import {
  type CommandProcess,
  type GatewayProcess,
  spawnGateway,
  spawnWorker,
} from '../support/process.ts'
import { findRecord, readRecords } from '../support/records.ts'
import { dumpRedis, REDIS_PROBE, type RedisServer, startRedis } from '../workers/redis-server.ts'
import { describeForeign } from '../foreign/tool.ts'

const NAME = '欧阳建国'
const RESIDENT_ID = '330106198807153216'
const MOBILE = '18657103389'
const CARD = '6222023602899998371'
const PLANTED = [NAME, RESIDENT_ID, MOBILE, CARD]
const TARGET = '/harbour-bank/credit/applications'

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/lending/02-application.json', import.meta.url), 'utf8'),
) as Record<string, unknown>

/** An application that carries the planted values wherever one could be. */
function planted(extra: Record<string, unknown> = {}): string {
  return JSON.stringify({
    ...fixture,
    applicant: { name: NAME, idNumber: RESIDENT_ID, mobile: MOBILE, email: `${MOBILE}@qq.com` },
    repaymentCard: { number: CARD, bankCode: 'ICBC' },
    contacts: [{ relation: 'spouse', name: NAME, mobile: MOBILE }],
    unheardOf: { [MOBILE]: RESIDENT_ID, nested: [[NAME], { card: CARD }] },
    ...extra,
  })
}

const escaped = (text: string) =>
  text.replace(/[^\0-\x7f]|\d{11,}/g, (run) =>
    [...run].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  )

describe('no planted value leaves or stays', () => describeLeaks())
describeForeign('no planted value leaves or stays, over Redis', REDIS_PROBE, () => {
  describeLeaks(startRedis)
})

/** @param openRedis when the records go through a queue of its own. */
function describeLeaks(openRedis?: () => Promise<RedisServer>): void {
  let redis: RedisServer | undefined
  let worker: CommandProcess | undefined
  let queued = ''
  let bank: Bank
  let installation: Installation
  let gateway: GatewayProcess
  const answers: Answer[] = []
  let rawAnswers = ''
  let metrics = ''

  before(async function () {
    this.timeout(30_000)
    bank = await startBank()
    installation = await createInstallation(bank.url)
    redis = await openRedis?.()
    if (redis !== undefined) appendFileSync(installation.configFile, `queue: ${redis.url}\n`)
    gateway = await spawnGateway(installation.configFile)
    await sendEverything()
    metrics = (await call(`${gateway.adminUrl}/metrics`, { method: 'GET' })).body
    if (redis !== undefined) {
      // No worker runs yet: records wait in Redis, as many as the gateway hands over at once.
      queued = await dumpRedis(redis.url)
      worker = await spawnWorker(installation.configFile)
      await findRecord(installation.config(), answers.at(-1)?.headers['evidence-id'])
    }
    await gateway.kill('SIGTERM')
  })
  after(async () => {
    await worker?.kill('SIGTERM')
    await redis?.stop()
    await bank.close()
    installation.remove()
  })

  async function send(body: string | Buffer, headers: Record<string, string> = {}, path = TARGET) {
    const jwt = await installation.platform.jwt('harbour-bank')
    const all = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json', ...headers }
    answers.push(await call(gateway.relayUrl + path, { body, headers: all }))
  }

  async function sendEverything() {
    bank.answer = (_request, response) =>
      json(response, { status: 'accepted', note: MOBILE, applicant: { name: NAME, card: CARD } })
    await send(planted())
    await send(escaped(planted()))
    await send(planted(), {
      'x-name': encodeURIComponent(NAME),
      'x-mobile': MOBILE,
      cookie: `id=${RESIDENT_ID}`,
      traceparent: `00-00000000000000${RESIDENT_ID}-00000${MOBILE}-01`,
      tracestate: `v=${MOBILE}`,
      referer: `https://x/?m=${MOBILE}`,
      'user-agent': MOBILE,
      'x-forwarded-for': MOBILE,
    })
    await send(planted(), {}, `${TARGET}?mobile=${MOBILE}&n=${encodeURIComponent(NAME)}`)
    // Kept fields that carry what they should not: the guard has to see it.
    await send(planted({ applicationId: RESIDENT_ID }))
    await send(planted({ applicationId: MOBILE }))
    await send(planted({ applicationId: CARD }))
    await send(planted({ rateOffered: Number(MOBILE) }))
    await send(planted({ applicationId: Buffer.from(`m=${MOBILE}`).toString('base64') }))
    await send(planted({ channelRef: Number(CARD.slice(0, 15)), amount: RESIDENT_ID }))
    await send(planted(), { 'accept-language': MOBILE })
    await send(planted(), {}, `${TARGET}?channel=${MOBILE}`)
    // Refusals of all kinds, with the values in them.
    await send(`{"${MOBILE}":"${NAME}","${MOBILE}":1}`)
    await send(`${planted()}${NAME}`)
    await send(planted({ consent: { id: MOBILE, recipient: NAME } }))
    await send(planted(), {}, `/${MOBILE}/${encodeURIComponent(NAME)}`)
    await send(planted(), {}, `/harbour-bank/${MOBILE}`)
    await send(planted(), { 'content-type': `text/${MOBILE}` })
    await send(planted(), { authorization: `Bearer ${MOBILE}` })
    await send(planted(), {
      'content-digest': `sha-256=:${Buffer.from(MOBILE).toString('base64')}:`,
    })
    rawAnswers += await exchangeRaw(
      gateway.relayUrl,
      `GET /${MOBILE} HTTP/1.1\r\nx: \0${NAME}\r\n\r\n`,
    )
    // Answers of the bank that cannot be passed on.
    bank.answer = (_request, response) => json(response, `{"status":"${MOBILE}"`)
    await send(planted())
    bank.answer = (_request, response) => json(response, { status: MOBILE })
    await send(planted())
    bank.answer = (_request, response) =>
      void response.writeHead(302, MOBILE, { location: `/${MOBILE}`, 'x-m': MOBILE }).end()
    await send(planted())
  }

  it('in what the bank received, headers included', () => {
    expect(bank.received.length).to.be.greaterThan(4)
    expect(leaksIn(bank.everything(), PLANTED)).to.deep.equal([])
  })

  it('in journal, queue, log, index or any other file', async () => {
    const records = await readRecords(installation.config())
    expect(records.length).to.be.at.least(answers.length)
    const files = filesBelow(join(installation.folder, 'data'))
    expect(files.length).to.be.greaterThan(8)
    const found = files.flatMap(({ path, text }) =>
      leaksIn(text, PLANTED).map((v) => `${path} ${v}`),
    )
    expect(found).to.deep.equal([])
    // Records are base64url inside their JWS: look at them decoded as well, and at packed bundles.
    expect(leaksIn(JSON.stringify(records), PLANTED)).to.deep.equal([])
    const packed = files.filter(({ path }) => path.endsWith('.gz'))
    for (const { path } of packed) {
      expect(leaksIn(gunzipSync(readFileSync(path)).toString('latin1'), PLANTED)).to.deep.equal([])
    }
  })

  if (openRedis !== undefined) {
    it('in Redis', () => {
      expect(queued.split('eyJ').length).to.be.greaterThan(4) // A compact JWS begins so.
      expect(leaksIn(queued + decodeRuns(queued), PLANTED)).to.deep.equal([])
    })
  }

  it('on stdout, on stderr or in the metrics', () => {
    expect(gateway.output()).to.include('sealgate is ready')
    expect(leaksIn(gateway.output(), PLANTED)).to.deep.equal([])
    expect(metrics).to.include('sealgate_exchanges_total')
    expect(leaksIn(metrics, PLANTED)).to.deep.equal([])
  })

  it('in answers to the caller, problems included', () => {
    const text = answers.map(({ rawHeaders, body }) => [...rawHeaders, body].join('\n')).join('\n')
    expect(text).to.include('/problems/leak-detected').and.include('/problems/body-malformed')
    expect(leaksIn(text + rawAnswers, PLANTED)).to.deep.equal([])
  })

  it('and the search itself finds each spelling', () => {
    for (const value of PLANTED) {
      for (const spelling of spellings(value)) {
        expect(leaksIn(`… ${spelling} …`, [value]), spelling).to.deep.equal([value])
      }
      for (const offset of [0, 1, 2]) {
        const hidden = Buffer.from(`${'x'.repeat(offset)}${value}yz`).toString('base64url')
        expect(leaksIn(hidden, [value]), hidden).to.deep.equal([value])
      }
    }
  })
}
