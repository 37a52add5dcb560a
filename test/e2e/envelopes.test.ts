import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { compactDecrypt, CompactEncrypt, exportJWK, generateKeyPair } from 'jose'
import { openCommitmentKey } from '../../evidence/commitment-key.ts'
import { derivedSecrets, openClaim } from '../../evidence/commitment.ts'
import { json, startBank } from '../support/bank.ts'
import { filesBelow, leaksIn } from '../support/leak.ts'
import { createChannel, signHead } from '../support/partners.ts'
import { runCommand } from '../support/process.ts'
import { useRelay } from '../support/relay.ts'

const MOBILE = '18657103389'
const KEY = createHash('sha256').update('channel').digest()
const SECRET = Buffer.from('a secret between two parties')
const HEAD_SECRET = 'the secret of the head'
const channel = createChannel(KEY, SECRET, 'SUN01')

const policy = (id: string, path: string, request: string, response: string) => `
policy: ${id}
version: 1
title: { zh: 信封, en: Envelopes }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: ${path} }
purpose: credit-assessment
legal: { basis: contract, pia: { id: PIA-1, date: 2026-03-02 } }
request:
  envelope: ${request}
  unnamed: drop
  fields:
    $.amount: keep
    $.mobile: { kind: mobile, tokenize: opaque }
response:
  envelope: ${response}
  unnamed: drop
  fields:
    $.decision: keep
    $.mobile: { reveal: mobile }
tests:
  - name: the bank sees a token
    request: { amount: "1.10", mobile: "13800138000" }
    relayed: { amount: "1.10", mobile: { token: mobile } }
    never: [ "13800138000" ]
`

describe('partner envelopes, end to end', () => {
  const relay = useRelay(startBank)
  let bankKeys: Awaited<ReturnType<typeof generateKeyPair>>
  let ourKeys: Awaited<ReturnType<typeof generateKeyPair>>

  before(async () => {
    const write = (name: string, text: string) =>
      writeFileSync(relay.inFolder('keys', name), text, { mode: 0o600 })
    bankKeys = await generateKeyPair('ECDH-ES', { extractable: true })
    ourKeys = await generateKeyPair('ECDH-ES', { extractable: true })
    write('bank.jwk', JSON.stringify(await exportJWK(bankKeys.publicKey)))
    write('ours.jwk', JSON.stringify(await exportJWK(ourKeys.privateKey)))
    write('channel.key', `hex:${KEY.toString('hex')}\n`)
    write('channel.secret', `text:${SECRET.toString()}`)
    write('head.secret', `text:${HEAD_SECRET}`)
    relay.configure(
      `envelopes:
  - id: sunrise-channel
    json: { data: data, constants: { channelCode: SUN01 } }
    cipher: { algorithm: aes-256-cbc, key: keys/channel.key }
    sign: { algorithm: hmac-sha256, member: sign, over: sorted, encoding: hex, key: keys/channel.secret }
  - id: sunrise-bare
    json: { data: data }
    cipher: { algorithm: aes-256-cbc, key: keys/channel.key }
    weak: { accepted: [ unauthenticated ], by: 李合规, until: 2027-01-31 }
  - id: sunrise-head
    headers: { scheme: x-ca, id: SUN-APP, key: keys/head.secret }
    weak: { accepted: [ md5 ], by: 李合规, until: 2027-01-31 }
  - id: harbour-jwe
    jwe: { algorithm: ECDH-ES, encryption: A256GCM, ours: keys/ours.jwk, theirs: keys/bank.jwk }
`,
    )
    const both = '{ open: harbour-jwe, seal: sunrise-channel }'
    relay.installation.addPolicy(
      'both.yaml',
      policy('both', '/both', '{ open: sunrise-channel, seal: harbour-jwe }', both),
    )
    relay.installation.addPolicy(
      'bare.yaml',
      policy('bare', '/bare', '{ open: sunrise-bare }', '{ seal: sunrise-bare }'),
    )
    relay.installation.addPolicy(
      'head.yaml',
      policy(
        'head',
        '/head',
        '{ open: sunrise-head, seal: sunrise-head }',
        '{ open: harbour-jwe }',
      ),
    )
    await relay.start()
  })

  const send = (path: string, body: string, headers: Record<string, string> = {}) =>
    relay.post(`/harbour-bank${path}`, body, headers)

  const openAtBank = async (body: string) =>
    Buffer.from((await compactDecrypt(body, bankKeys.privateKey)).plaintext).toString()
  const sealAtBank = (text: string) =>
    new CompactEncrypt(Buffer.from(text))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(ourKeys.publicKey)

  /** The bank answers with what it was sent, in its envelope. */
  const answerSealed = () => {
    relay.recipient.answer = async (request, response) => {
      const inner = await openAtBank(request.body)
      const { mobile } = JSON.parse(inner) as { mobile: string }
      const sealed = await sealAtBank(JSON.stringify({ decision: 'ok', mobile, score: 7 }))
      response.writeHead(200, { 'content-type': 'application/jose' }).end(sealed)
    }
  }

  it('opens the request, seals it anew for the bank, and so the answer', async () => {
    answerSealed()
    const inner = `{"amount":1.10,"mobile":"${MOBILE}","remark":"x"}`
    const answer = await send('/both', channel.seal(inner))
    expect(answer.status, answer.body).to.equal(200)
    expect(JSON.parse(channel.open(answer.body))).to.deep.equal({ decision: 'ok', mobile: MOBILE })
    const [seen] = relay.recipient.received
    expect(seen?.headers['content-type']).to.equal('application/jose')
    expect(await openAtBank(seen?.body ?? '')).to.match(
      /^\{"amount":1\.10,"mobile":"tok_mobile_1_[a-z]{48}"\}$/,
    )
    const members = Object.keys(JSON.parse(answer.body) as object).toSorted()
    expect(members).to.deep.equal(['channelCode', 'data', 'sign'])
  })

  it('leaves both envelopes in the record, and what was in them as commitments', async () => {
    answerSealed()
    const sent = channel.seal(`{"amount":1,"mobile":"${MOBILE}"}`)
    const answer = await send('/both', sent)
    const rid = String(answer.headers['evidence-id'])
    const record = (await relay.recordOf(rid)) as unknown as {
      request: { envelopes: object; length: number; forwardedLength: number }
      response: { envelopes: object; forwardedLength: number }
      _sd: string[]
    }
    const channelFacts = {
      name: 'sunrise-channel',
      algorithm: 'json, aes-256-cbc, iv prefix, hmac-sha256 over sorted',
      weak: [],
    }
    const jweFacts = { name: 'harbour-jwe', algorithm: 'JWE ECDH-ES A256GCM', weak: [] }
    expect(record.request.envelopes).to.deep.equal({ opened: channelFacts, sealed: jweFacts })
    expect(record.response.envelopes).to.deep.equal({ opened: jweFacts, sealed: channelFacts })
    expect(record.request.length).to.equal(sent.length)
    expect(record.request.forwardedLength).to.equal(relay.recipient.received[0]?.body.length)
    expect(record.response.forwardedLength).to.equal(answer.body.length)
    const key = openCommitmentKey(relay.inFolder('data/keys/commitment.key'))
    const secret = derivedSecrets(key).secretOf(rid)
    const isCommitted = (name: string, bytes: string) => {
      const digest = createHash('sha256').update(bytes).digest('base64url')
      return openClaim(secret, record._sd, name, `"${digest}"`) !== undefined
    }
    const relayed = relay.recipient.received[0]?.body ?? ''
    expect(isCommitted('body_sha256', sent)).to.equal(true)
    expect(isCommitted('inner_sha256', channel.open(sent))).to.equal(true)
    expect(isCommitted('forwarded_sha256', relayed)).to.equal(true)
    expect(isCommitted('forwarded_inner_sha256', await openAtBank(relayed))).to.equal(true)
    expect(isCommitted('r:forwarded_sha256', answer.body)).to.equal(true)
    expect(isCommitted('r:forwarded_inner_sha256', channel.open(answer.body))).to.equal(true)
  })

  it('lets the guard see what is inside', async () => {
    const answer = await send('/both', channel.seal(`{"amount":"${MOBILE}"}`))
    expect(answer.status).to.equal(422)
    expect(answer.body).to.include('/problems/leak-detected')
    expect(relay.recipient.received).to.deep.equal([])
  })

  // prettier-ignore
  const REFUSED = [
    { name: 'a plain body',            path: '/both', body: () => `{"mobile":"${MOBILE}"}`,                                    detail: /a member was not agreed on/ },
    { name: 'another member',          path: '/both', body: () => channel.seal('{}', { mobile: MOBILE }),                      detail: /a member was not agreed on/ },
    { name: 'another channel',         path: '/both', body: () => channel.seal('{}', { channelCode: MOBILE }),                 detail: /`channelCode` has another value/ },
    { name: 'another key',             path: '/both', body: () => createChannel(Buffer.alloc(32), SECRET, 'SUN01').seal('{}'), detail: /cannot be opened/ },
    { name: 'another secret',          path: '/both', body: () => createChannel(KEY, KEY, 'SUN01').seal('{}'),                 detail: /cannot be opened/ },
    { name: 'no JSON, when no MAC',    path: '/bare', body: () => bare(`${MOBILE}{`),                                          detail: /cannot be opened/ },
    { name: 'a bad padding, no MAC',   path: '/bare', body: () => bare('{}', 1),                                               detail: /cannot be opened/ },
    { name: 'nothing inside, no MAC',  path: '/bare', body: () => bare(''),                                                    detail: /cannot be opened/ },
  ]
  /** A body that nothing authenticates; `flip` changes its last byte. */
  function bare(text: string, flip = 0): string {
    const { data } = JSON.parse(channel.seal(text)) as { data: string }
    const bytes = Buffer.from(data, 'base64')
    const at = bytes.length - 1
    bytes[at] = (bytes[at] ?? 0) ^ flip
    return JSON.stringify({ data: bytes.toString('base64') })
  }
  for (const { name, path, body, detail } of REFUSED) {
    it(`refuses ${name}, and quotes nothing`, async () => {
      const answer = await send(path, body())
      expect(answer.status).to.equal(400)
      const problem = JSON.parse(answer.body) as { type: string; detail: string }
      expect(problem.type).to.equal('/problems/envelope-unreadable')
      expect(problem.detail).to.match(detail).and.not.include(MOBILE)
      expect(relay.recipient.received).to.deep.equal([])
      const record = await relay.recordOf(answer.headers['evidence-id'])
      expect(record).to.deep.include({ kind: 'refusal', problem: 'envelope-unreadable' })
    })
  }

  it('verifies a signed head and signs another for the bank', async () => {
    relay.recipient.answer = async (_request, response) =>
      void response
        .writeHead(200, { 'content-type': 'application/jose' })
        .end(await sealAtBank('{"decision":"ok"}'))
    const body = `{"amount":1,"mobile":"${MOBILE}"}`
    const line = { method: 'POST', path: '/harbour-bank/head', key: 'SUN-APP', body }
    const headers = signHead(HEAD_SECRET, line)
    const answer = await send('/head', body, headers)
    expect(answer.status, answer.body).to.equal(200)
    const seen = relay.recipient.received[0]
    const got = seen?.headers ?? {}
    const want = signHead(HEAD_SECRET, {
      method: 'POST',
      path: '/head',
      key: 'SUN-APP',
      body: seen?.body ?? '',
      accept: 'application/json',
      timestamp: String(got['x-ca-timestamp']),
      nonce: String(got['x-ca-nonce']),
    })
    for (const [name, value] of Object.entries(want)) expect(got[name], name).to.equal(value)
    expect(got['x-ca-nonce']).to.not.equal(headers['x-ca-nonce'])
    const again = await send('/head', body, headers)
    expect(again.status).to.equal(401)
    expect(again.body).to.include('/problems/envelope-replayed')
    expect((await send('/head', `${body} `, signHead(HEAD_SECRET, line))).status).to.equal(400)
    const stale = signHead(HEAD_SECRET, { ...line, timestamp: String(Date.now() - 16 * 60_000) })
    expect((await send('/head', body, stale)).body).to.include('more than 15 minutes off')
  })

  it("tells the recipient's failure when its answer is in no envelope", async () => {
    relay.recipient.answer = (_request, response) => json(response, { decision: MOBILE })
    const answer = await send('/both', channel.seal('{"amount":1}'))
    expect(answer.status).to.equal(502)
    expect(answer.body).to.include('harbour-jwe').and.not.include(MOBILE)
  })

  it('warns of the weak ones when policies are checked', async () => {
    const [installed, config] = [relay.inFolder('policies'), relay.installation.configFile]
    const { stderr } = await runCommand(['policy', 'check', installed, '--config', config])
    expect(stderr).to.match(/sealgate\.yaml:\d+:\d+: warning: E106: .*`sunrise-bare` is weak/)
    expect(stderr).to.match(/bare\.yaml:\d+:\d+: warning: E106: .*`sunrise-bare` is weak/)
    expect(stderr).to.match(/head\.yaml:\d+:\d+: warning: E104: .*`sunrise-head` is weak/)
    expect(stderr).to.include('李合规')
  }).timeout(30_000)

  it('leaves no planted value on disk or on the wire', async () => {
    const files = filesBelow(relay.inFolder('data'))
    expect(files.length).to.be.greaterThan(8)
    const found = files.flatMap(({ path, text }) => leaksIn(text, [MOBILE]).map(() => path))
    expect(found).to.deep.equal([])
    expect(readFileSync(relay.installation.configFile, 'utf8')).to.include('envelopes:')
    expect(leaksIn(relay.recipient.everything(), [MOBILE])).to.deep.equal([])
  })
})
