import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { parseCheckpoint, verifyCheckpoint } from '../../evidence/log/checkpoint.ts'
import {
  ED25519,
  ED25519_COSIGNATURE,
  makeSigner,
  ML_DSA_44_COSIGNATURE,
  type NoteSigner,
} from '../../evidence/log/note.ts'
import { checkPolicy, parsePolicy } from '../../evidence/log/policy.ts'
import type { LogReader } from '../../evidence/log/reader.ts'
import { openSequencer, type Sequencer } from '../../evidence/log/sequencer.ts'
import {
  collectCosignatures,
  compareView,
  requestCosignature,
} from '../../evidence/log/witness-client.ts'
import { createWitnessServer } from '../../evidence/log/witness-server.ts'
import { memoryLock, memoryStore } from './memory.ts'
import { recordMaker } from './records.ts'

const ORIGIN = 'log.test/evr'
const LOG = makeSigner(ORIGIN, ED25519, generateKeyPairSync('ed25519').privateKey)
const STRANGER = makeSigner(ORIGIN, ED25519, generateKeyPairSync('ed25519').privateKey)
const cosigner = (name: string): NoteSigner =>
  makeSigner(name, ED25519_COSIGNATURE, generateKeyPairSync('ed25519').privateKey)

async function newLog(signer = LOG): Promise<Sequencer> {
  const faults = { next: undefined }
  const [store, lock, index] = [
    memoryStore(faults),
    memoryLock(faults),
    openSqliteIndex(':memory:'),
  ]
  const ports = { store, lock, index, origin: ORIGIN, signers: [signer], clock: systemClock }
  return openSequencer(ports)
}

interface Running {
  readonly url: string
  readonly signer: NoteSigner
  readonly server: Server
}

async function startWitness(signer: NoteSigner): Promise<Running> {
  const state = memoryLock({ next: undefined })
  const mlDsa = generateKeyPairSync('ml-dsa-44').privateKey
  const cosigners = [signer, makeSigner(signer.verifier.name, ML_DSA_44_COSIGNATURE, mlDsa)]
  const ports = { cosigners, logs: [LOG.verifier], state, clock: systemClock }
  const server = createWitnessServer(ports, () => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, signer, server }
}

describe('witness', () => {
  let witness: Running
  beforeEach(async () => {
    witness = await startWitness(cosigner('bank.test/w'))
  })
  afterEach(() => {
    witness.server.close()
    witness.server.closeAllConnections()
  })
  const request = (reader: LogReader): Promise<string> =>
    requestCosignature(witness.url, witness.signer.verifier, reader)

  it('cosigns a log as it grows, and again at the same size', async () => {
    const [log, maker] = [await newLog(), recordMaker(91)]
    for (const count of [1, 300, 5]) {
      await log.append(maker.many(count))
      const line = await request(log.reader())
      const checkpoint = parseCheckpoint(log.reader().text + line)
      expect(verifyCheckpoint(checkpoint, witness.signer.verifier)).to.have.property('timeS')
    }
    await request(log.reader())
    const { verifier } = witness.signer
    expect(await compareView(witness.url, verifier, log.reader())).to.equal(306)
  })

  it('tells a split view, at the same size, at another size, and after a restore', async () => {
    const [ours, other] = [await newLog(), await newLog()]
    await ours.append(recordMaker(92).many(20))
    await request(ours.reader())
    const maker = recordMaker(93)
    await other.append(maker.many(10))
    const { verifier } = witness.signer
    await splitView(request(other.reader()), 'has seen 20 records, this log has 10')
    await other.append(maker.many(10))
    await splitView(request(other.reader()), 'has cosigned another root at size 20')
    await splitView(compareView(witness.url, verifier, other.reader()), 'another root at size 20')
    await other.append(maker.many(10))
    await splitView(request(other.reader()), 'does not find size 20 in this log')
    await splitView(compareView(witness.url, verifier, other.reader()), 'another root at size 20')
    expect(await compareView(witness.url, verifier, ours.reader())).to.equal(20)
  })

  it('answers refusals with the status of the specification', async () => {
    const [log, stranger] = [await newLog(), await newLog(STRANGER)]
    await log.append(recordMaker(94).many(3))
    const { text } = log.reader()
    const hash = (await log.reader().root(1)).toString('base64')
    // prettier-ignore
    const REQUESTS: { name: string; body: string; want: number }[] = [
      { name: 'no old line',          body: `\n\n${text}`,                              want: 400 },
      { name: 'a padded size',        body: `old 00\n\n${text}`,                        want: 400 },
      { name: 'an old size too high', body: `old 4\n\n${text}`,                         want: 400 },
      { name: 'no checkpoint',        body: 'old 0\n\n',                                want: 400 },
      { name: 'too many hashes',      body: `old 0\n${`${hash}\n`.repeat(64)}\n${text}`, want: 400 },
      { name: 'an unknown log',       body: `old 0\n\n${text.replaceAll(ORIGIN, 'x.test')}`, want: 404 },
      { name: 'an unknown key',       body: `old 0\n\n${stranger.reader().text}`,       want: 403 },
      { name: 'another old size',     body: `old 1\n${hash}\n\n${text}`,                want: 409 },
      { name: 'a needless proof',     body: `old 0\n${hash}\n\n${text}`,                want: 422 },
      { name: 'a good request',       body: `old 0\n\n${text}`,                         want: 200 },
      { name: 'the same once more',   body: `old 0\n\n${text}`,                         want: 409 },
    ]
    for (const { name, body, want } of REQUESTS) {
      const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body })
      expect(response.status, name).to.equal(want)
    }
    const again = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: `old 0\n\n${text}` }) // prettier-ignore
    expect(again.headers.get('content-type')).to.equal('text/x.tlog.size')
    expect(await again.text()).to.equal('3\n')
    expect((await fetch(`${witness.url}/nothing`)).status).to.equal(404)
    const huge = 'x'.repeat(600_000)
    const refused = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: huge })
    expect(refused.status).to.equal(413)
  })

  it('collects a quorum, names who failed, and believes no other key', async () => {
    const log = await newLog()
    await log.append(recordMaker(95).many(3))
    const second = await startWitness(cosigner('platform.test/w'))
    const liar = cosigner('liar.test/w')
    const policy = parsePolicy(`log ${LOG.verifier.text}
      witness bank ${witness.signer.verifier.text} ${witness.url}
      witness platform ${second.signer.verifier.text} ${second.url}
      witness liar ${liar.verifier.text} ${second.url}
      witness away ${cosigner('away.test/w').verifier.text} http://127.0.0.1:1
      group both 2 bank platform liar
      quorum both\n`)
    const result = await collectCosignatures(log.reader(), policy)
    second.server.close()
    second.server.closeAllConnections()
    expect(result.met).to.equal(true)
    expect(result.cosigned.map(({ name }) => name)).to.deep.equal(['bank', 'platform'])
    expect(result.failures.map(({ name }) => name).sort()).to.deep.equal(['away', 'liar'])
  })
})

describe('witness policy', () => {
  const [a, b, c] = [cosigner('a.test'), cosigner('b.test'), cosigner('c.test')]
  const W = [a, b, c].map(({ verifier }, at) => `witness w${at} ${verifier.text}\n`).join('')

  it('reads comments, tabs, thresholds and nested groups', () => {
    const text = `# who\n\tlog ${LOG.verifier.text}\n${W}group g any w0 w1\n group h all g w2\nquorum h\n`
    const policy = parsePolicy(text)
    expect(policy.quorum).to.equal('h')
    expect([...policy.groups.values()].map(({ threshold }) => threshold)).to.deep.equal([1, 2])
    expect(parsePolicy('quorum none\n').witnesses).to.deep.equal([])
  })

  it('is met by `none`, and not by a log without cosignatures otherwise', async () => {
    const { checkpoint } = (await newLog()).reader()
    expect(checkPolicy(parsePolicy('quorum none\n'), checkpoint).met).to.equal(true)
    expect(checkPolicy(parsePolicy(`${W}quorum w0\n`), checkpoint).met).to.equal(false)
  })

  // prettier-ignore
  const REFUSED = [
    { name: 'no quorum',              text: W,                                            want: 'one `quorum` line' },
    { name: 'two quorums',            text: `${W}quorum w0\nquorum w1\n`,                 want: 'line 5: a policy has one `quorum` line' },
    { name: 'an undefined quorum',    text: `${W}quorum w9\n`,                            want: 'line 4: `w9` is not defined' },
    { name: 'a later member',         text: `${W}group g any h\ngroup h any w0\nquorum g\n`, want: 'line 4: `h` is not defined' },
    { name: 'a member twice',         text: `${W}group g any w0\ngroup h any w0\nquorum g\n`, want: 'line 5: `w0` is a member already' },
    { name: 'a name twice',           text: `${W}group w0 any w1\nquorum w0\n`,           want: 'line 4: `w0` is defined already' },
    { name: 'the name `none`',        text: `${W}group none any w1\nquorum none\n`,       want: 'line 4: `none` is defined already' },
    { name: 'a threshold too high',   text: `${W}group g 3 w0 w1\nquorum g\n`,            want: 'line 4: expected `any`, `all` or 1 to 2' },
    { name: 'a threshold of zero',    text: `${W}group g 0 w0 w1\nquorum g\n`,            want: 'line 4: expected `any`, `all` or 1 to 2' },
    { name: 'a key twice',            text: `${W}witness x ${a.verifier.text}\nquorum x\n`, want: 'line 4: a key is repeated' },
    { name: 'a log key as a witness', text: `witness x ${LOG.verifier.text}\nquorum x\n`, want: 'line 1: a log key cannot be a witness' },
    { name: 'a broken key',           text: 'log a+b+c\nquorum none\n',                   want: 'line 1: expected a verifier key' },
    { name: 'an unknown word',        text: 'logs\nquorum none\n',                        want: 'line 1: expected `log`, `witness`, `group` or `quorum`' },
  ]
  for (const { name, text, want } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(() => parsePolicy(text))
        .to.throw(Problem, want)
        .with.property('slug', 'request-malformed')
    })
  }
})

async function splitView(work: Promise<unknown>, want: string): Promise<void> {
  const error = await work.catch((cause: unknown) => cause)
  expect(error).to.be.instanceOf(Problem).with.property('slug', 'log-inconsistent')
  expect(String(error)).to.include('split view').and.to.include(want)
}
