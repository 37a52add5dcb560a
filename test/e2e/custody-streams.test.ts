import { expect } from 'chai'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Problem } from '../../base/problem.ts'
import type { Installation } from '../support/installation.ts'
import { row, rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096 }
const COUNT = 2000
const BODY = rows(COUNT)

describe('long bodies whose originals are kept', function () {
  this.timeout(60_000)
  const relay = useRelay(startTaker, { each: true })

  beforeEach(relay.addCustodian)

  async function start(
    more = '',
    moreBack = '',
    options: Parameters<Installation['start']>[0] = {},
  ) {
    const policy = rowsPolicy(more, moreBack).replace('custody: none', 'custody: sealed')
    relay.installation.addPolicy('rows.yaml', policy)
    await relay.start({ limits: LIMITS, ...options })
  }

  async function send(body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
    const sending = await relay.sendLong(headers)
    for (let at = 0; at < body.length; at += 20_000) await sending.write(Buffer.from(body.slice(at, at + 20_000))) // prettier-ignore
    sending.end()
    const answer = await sending.answer()
    return { answer, rid: String(answer.headers['evidence-id']) }
  }

  /** Files of one record in custody: name → bytes. */
  function kept(rid: string): Readonly<Record<string, Buffer>> {
    const files = readdirSync(relay.inFolder('data/custody'), {
      recursive: true,
      withFileTypes: true,
    })
    const mine = files.filter((entry) => entry.isFile() && entry.name.startsWith(rid))
    return Object.fromEntries(
      mine.map(({ parentPath, name }) => [name.slice(37), readFileSync(join(parentPath, name))]),
    )
  }
  const reveal = (rid: string, ...more: string[]) => {
    const how = ['--key', relay.inFolder('custodian.json'), '--reason', 'court order 1', ...more]
    return relay.run('reveal', rid, '--admin', relay.gateway.adminUrl, ...how)
  }

  for (const buffered of [false, true]) {
    it(`are opened by the custodian, whole or row by row${buffered ? ', when they are held back' : ''}`, async () => {
      relay.recipient.take = (incoming, response) => {
        incoming.resume().on('end', () => {
          response.writeHead(200, { 'content-type': 'application/x-ndjson' })
          response.end(rows(COUNT, 5000))
        })
      }
      await start(buffered ? 'buffered: true' : '', buffered ? 'buffered: true' : '')
      const { answer, rid } = await send(BODY)
      expect(answer.status, answer.body.toString()).to.equal(200)
      await relay.recordOf(rid)
      const files = kept(rid)
      expect(Object.keys(files)).to.have.members(['request.jwe', 'request.body', 'response.jwe', 'response.body']) // prettier-ignore
      for (const bytes of Object.values(files))
        expect(bytes.includes('13800138000')).to.equal(false)
      expect(files['request.body']?.length).to.be.within(
        BODY.length,
        Buffer.byteLength(BODY) + 1000,
      )

      for (const [side, want] of [
        ['request', BODY],
        ['response', rows(COUNT, 5000)],
      ] as const) {
        const out = relay.inFolder(`${side}.ndjson`)
        const { stdout, code } = await reveal(rid, '--body', side, '--out', out)
        const name = side === 'request' ? 'body_sha256' : 'r:body_sha256'
        expect(stdout).to.equal(`${side}.body: ${Buffer.byteLength(want)} bytes; it is what \`${name}\` commits to\n`) // prettier-ignore
        expect(code).to.equal(0)
        expect(readFileSync(out, 'utf8')).to.equal(want)
        expect(statSync(out).mode & 0o777).to.equal(0o600)
      }

      const exported = relay.inFolder('record.json')
      await relay.run('evidence', 'export', rid, '--out', exported)
      const added = await reveal(rid, '--body', 'request', '--row', '118', '--into', exported) // prettier-ignore
      expect(added.stdout).to.include('request.received row 118')
      const verified = await relay.verify(exported) // prettier-ignore
      expect(verified.code, verified.stdout).to.equal(0)
      expect(verified.stdout).to.match(
        /✓ row: row 118 of `request.received` .*\\"loan\\":\\"L-117\\"/,
      )
      // Whoever has the file and not the custodian's key opens nothing.
      writeFileSync(relay.inFolder('body.ndjson'), BODY)
      const without = await relay.run('evidence', 'export', rid, '--row', '118', '--file', relay.inFolder('body.ndjson')) // prettier-ignore
      expect(without.stderr).to.match(/custody/)
      expect(without.code).to.equal(2)

      const erased = await relay.run('evidence', 'erase', rid, '--admin', relay.gateway.adminUrl, '--rule', 'PIPL') // prettier-ignore
      expect(erased.stdout).to.equal('4 originals destroyed, 0 kept by a hold\n')
      expect(kept(rid)).to.deep.equal({})
    })
  }

  it('are kept in the coding in which they came, and rows are counted without it', async () => {
    await start()
    const { answer, rid } = await send(gzipSync(BODY), { 'content-encoding': 'gzip' })
    expect(answer.status, answer.body.toString()).to.equal(200)
    await relay.recordOf(rid)
    const exported = relay.inFolder('record.json')
    await relay.run('evidence', 'export', rid, '--out', exported)
    const added = await reveal(rid, '--body', 'request', '--row', '2000', '--into', exported) // prettier-ignore
    expect(added.code, added.stderr).to.equal(0)
  })

  it('are kept as far as they came when they are stopped, and not when nothing left', async () => {
    await start()
    const stopped = await send(BODY + row(COUNT, 'call 13900139000'))
    expect(stopped.answer.status).to.equal(422)
    const record = await relay.recordOf(stopped.rid)
    expect(record['request']).to.deep.include({ void: true })
    const out = relay.inFolder('void.ndjson')
    const { stdout } = await reveal(stopped.rid, '--body', 'request', '--out', out) // prettier-ignore
    expect(stdout).to.include('is what `body_sha256` commits to')
    const refused = await send(row(0, 'call 13900139000') + BODY)
    expect(refused.answer.status).to.equal(422)
    expect(kept(refused.rid)).to.deep.equal({})
  })

  it('have no end at the recipient when custody fails, and the record says why', async () => {
    await start('', '', {
      refit: (parts) => ({
        ...parts,
        recorder: {
          ...parts.recorder,
          body: (...arguments_) => {
            const { ledger, original } = parts.recorder.body(...arguments_)
            const finish = () =>
              Promise.reject(new Problem('evidence-unavailable', 'custody could not be made durable')) // prettier-ignore
            return { ledger, ...(original && { original: { ...original, finish } }) }
          },
        },
      }),
    })
    const { answer, rid } = await send(BODY)
    expect(answer.status).to.equal(503)
    expect(answer.body.toString()).to.include('evidence-unavailable').and.include('"released"')
    for (let i = 0; i < 100 && relay.recipient.taken.length === 0; i++) await sleep(10)
    expect(relay.recipient.taken[0]).to.include({ whole: false })
    const record = await relay.recordOf(rid)
    expect(record).to.include({ problem: 'evidence-unavailable', status: 503 })
    expect(record['request']).to.deep.include({ void: true })
  })

  it('break off after kill -9, and the custodian reads what came', async () => {
    relay.installation.addPolicy(
      'rows.yaml',
      rowsPolicy().replace('custody: none', 'custody: sealed'),
    )
    const first = await relay.spawn()
    const sending = await relay.sendLong()
    let arrived = 0
    const halfway = new Promise<string>((resolve) => {
      relay.recipient.take = (incoming) => {
        incoming.on('error', () => undefined)
        incoming.on('data', (chunk: Buffer) => {
          arrived += chunk.toString('latin1').split('\n').length - 1
          if (arrived > 5000) resolve(String(incoming.headers['evidence-id']))
        })
      }
    })
    for (let i = 0; i < 200; i++) await sending.write(rows(100, i * 100))
    const rid = await halfway
    await first.kill('SIGKILL')
    sending.request.destroy()
    await relay.spawn()
    const out = relay.inFolder('cut.ndjson')
    const { stdout, code } = await reveal(rid, '--body', 'request', '--out', out)
    expect(stdout).to.match(/^request\.body: \d+ bytes; it breaks off\n$/)
    expect(code).to.equal(1)
    const came = readFileSync(out, 'utf8')
    // Less than one record of the file was in memory alone.
    expect(came.split('\n').length).to.be.greaterThan(arrived - 65_536 / row(0).length)
    expect(rows(20_000).startsWith(came)).to.equal(true)
  })
})
