import { expect } from 'chai'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { type InnerList, parseDictionary } from 'structured-headers'
import { signatureBase } from '../../gateway/signature/base.ts'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { json, startBank } from '../support/bank.ts'
import { rows, rowsPolicy } from '../support/long.ts'
import { beginAt, offsetOf, type Part, partFields, resume, type Send, sendPart } from '../support/uploads.ts' // prettier-ignore
import { useRelay } from '../support/relay.ts'

const LIMITS = { BODY_BYTES_MAX: 4096, STREAM_IDLE_TIMEOUT_MS: 2000 }
const SECRET = Buffer.alloc(32, 7)
const UPLOAD_FIELDS = ['upload-complete', 'upload-offset', 'upload-length']

/** The policy for rows, at another path and with other rules. */
const policy = (name: string, direction: string, fields: string, sample: string) =>
  rowsPolicy(direction)
    .replace('policy: rows', `policy: ${name}`)
    .replace('/rows', `/${name}`)
    .replace(/fields:[^:]*loan: {3}keep\n[^}]*}/, `fields:\n${fields}`)
    .replace(
      /tests:.*/s,
      `tests:
  - name: the mobile number does not pass
    request: ${sample}
    never: [ "13800138000" ]
`,
    )

const TABLE = policy(
  'table',
  'body: { format: csv, charset: gbk, trailer: { columns: [ mark, rows ], count: rows } }',
  '    $.trailer: keep\n    $.rows[*].loan: keep\n    $.rows[*].owner: { kind: name, mask: surname }',
  '"loan,owner,mobile\\nL-1,王小明,13800138000\\nT,1\\n"',
)
const PARTS = policy(
  'parts',
  '',
  '    $.loan: keep\n    $.file.content: keep',
  '{ loan: L-1, mobile: "13800138000" }',
)

const gbk = (text: string) => startTranscoder('gbk').encode(Buffer.from(text))
const table = (count: number) => {
  const lines = Array.from({ length: count }, (_, n) => `L-${n},王小明,13800138000\n`)
  return gbk(`loan,owner,mobile\n${lines.join('')}T,${count}\n`)
}
const parts = (size: number) => {
  const part = (name: string, more = '') => `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n` // prettier-ignore
  const file = `${part('file', '; filename="a.bin"')}Content-Type: application/octet-stream\r\n\r\n`
  return Buffer.from(`${part('loan')}\r\nL-1\r\n${part('mobile')}\r\n13800138000\r\n${file}${'x'.repeat(size)}\r\n--b--\r\n`) // prettier-ignore
}

// prettier-ignore
const WAYS: { name: string; path: string; fields: Record<string, string>; body: Buffer }[] = [
  { name: 'JSON rows in one',            path: 'rows',  fields: { 'content-type': 'application/json' },                                     body: Buffer.from(`[${rows(20).trimEnd().split('\n').join()}]`) },
  { name: 'gzip, long',                  path: 'rows',  fields: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },     body: gzipSync(rows(4000)) },
  { name: 'gzip, short until decoded',   path: 'rows',  fields: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },     body: gzipSync(rows(200)) },
  { name: 'gzip, short',                 path: 'rows',  fields: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },     body: gzipSync(rows(10)) },
  { name: 'CSV in GBK with a trailer',   path: 'table', fields: { 'content-type': 'text/csv; charset=gbk' },                                body: table(3000) },
  { name: 'multipart with a long file',  path: 'parts', fields: { 'content-type': 'multipart/form-data; boundary=b' },                      body: parts(90_000) },
]

describe('resumable uploads go every way', () => {
  const relay = useRelay(startBank)
  const send = relay.sendPart

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy('headers: [ accept, upload-offset ]', 'headers: [ x-batch ]')) // prettier-ignore
    relay.installation.addPolicy('table.yaml', TABLE)
    relay.installation.addPolicy('parts.yaml', PARTS)
    const file = relay.inFolder('keys/shared.json')
    const key = { kty: 'oct', kid: 'k1', k: SECRET.toString('base64url') }
    writeFileSync(file, JSON.stringify({ keys: [key] }), { mode: 0o600 })
    const config = readFileSync(relay.installation.configFile, 'utf8')
    const auth = 'auth: [ { jwt: { jwks: keys/sunrise-platform'
    writeFileSync(relay.installation.configFile, config.replace(auth, auth.replace('[', '[ { hmac: keys/shared.json },'))) // prettier-ignore
    await relay.start({ limits: LIMITS })
  })
  beforeEach(() => {
    relay.recipient.answer = (_request, response) => json(response.setHeader('x-batch', 'B-1'), {})
  })

  for (const { name, path, fields, body } of WAYS) {
    it(`${name}: arrives as in one piece, with the same record`, async () => {
      const at = `/harbour-bank/${path}`
      const one = await send({ method: 'POST', path: at, headers: fields, body })
      expect(one.answer?.status, one.answer?.body).to.equal(200)
      const upload = await beginAt(send, at, fields)
      const answer = await resume(send, upload, body, [body.length >> 1])
      expect(answer.status, answer.body).to.equal(200)
      expect(answer.headers).to.include({ 'upload-complete': '?1' })
      if (path === 'rows') expect(answer.headers['x-batch']).to.equal('B-1')
      const [want, got, ...more] = relay.recipient.received
      expect(more).to.deep.equal([])
      expect(got?.bytes.equals(want?.bytes ?? Buffer.alloc(0))).to.equal(true)
      expect(got?.headers['content-type']).to.equal(want?.headers['content-type'])
      expect(got?.headers['content-encoding']).to.equal(want?.headers['content-encoding'])
      expect(Object.keys(got?.headers ?? {}).filter((field) => field.startsWith('upload-'))).to.deep.equal([]) // prettier-ignore
      const [left, right] = await Promise.all(
        [one.answer, answer].map((each) => relay.recordOf(each?.headers['evidence-id'])),
      )
      const { upload: facts, rows: leaves, ...request } = (right?.['request'] ?? {}) as Record<string, unknown> // prettier-ignore
      const { rows: others, ...plain } = (left?.['request'] ?? {}) as Record<string, unknown>
      expect(request).to.deep.equal(plain)
      expect((leaves as { count?: number } | undefined)?.count).to.equal((others as { count?: number } | undefined)?.count) // prettier-ignore
      expect(facts).to.have.property('parts').within(1, 2)
    })
  }

  /** Signs as RFC 9421 says, with the digest of the part. */
  function signed({ method, path, headers = {}, body = Buffer.alloc(0) }: Part, leaveOut = '') {
    const { host } = new URL(relay.gateway.relayUrl)
    const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const fields: Record<string, string> = { host, 'content-digest': digest, ...headers }
    const names = ['content-type', 'content-digest', ...UPLOAD_FIELDS].filter(
      (name) => name in fields,
    )
    const covered = ['@method', '@authority', '@path', '@query', ...names]
      .filter((name) => name !== leaveOut)
      .map((name) => `"${name}"`)
      .join(' ')
    const input = `sig=(${covered});created=${Math.ceil(Date.now() / 1000)};keyid="sunrise-platform#k1";alg="hmac-sha256";nonce="${randomUUID()}"`
    const message = { method, scheme: 'http', authority: host, path, field: (name: string) => fields[name] } // prettier-ignore
    const base = signatureBase(message, parseDictionary(input).get('sig') as InnerList)
    const mac = createHmac('sha256', SECRET).update(base).digest('base64')
    return { ...fields, 'signature-input': input, signature: `sig=:${mac}:` }
  }

  it('with signed requests: a part counts wholly, for what signs it is its digest', async () => {
    const signing: Send = (part) =>
      sendPart(relay.gateway.relayUrl, { ...part, headers: signed(part) })
    const body = Buffer.from(rows(3000))
    const upload = await beginAt(signing, '/harbour-bank/rows')
    const first = { method: 'PATCH', path: upload, headers: partFields(0, false), body: body.subarray(0, 50_000) } // prettier-ignore
    await signing({ ...first, breakAt: 40_000 })
    expect(await offsetOf(signing, upload)).to.equal(0)
    expect((await signing(first)).answer?.status).to.equal(204)
    const rest = { method: 'PATCH', path: upload, headers: partFields(50_000, true), body: body.subarray(50_000) } // prettier-ignore
    for (const name of ['upload-complete', 'upload-offset', 'content-digest']) {
      const { answer } = await sendPart(relay.gateway.relayUrl, {
        ...rest,
        headers: signed(rest, name),
      })
      expect(answer?.status, name).to.equal(401)
    }
    const { answer } = await signing(rest)
    expect(answer?.status, answer?.body).to.equal(200)
    expect(relay.recipient.received).to.have.length(1)
    const record = await relay.recordOf(answer?.headers['evidence-id'])
    expect(record['caller']).to.include({ id: 'sunrise-platform', auth: 'hmac' })
    expect(record).to.have.nested.property('request.upload.parts', 2)
  })

  it('with a long answer, which comes back as always', async () => {
    const long = rows(2000)
    relay.recipient.answer = (_request, response) => {
      response.setHeader('content-type', 'application/x-ndjson').end(long)
    }
    const upload = await beginAt(send, '/harbour-bank/rows')
    const answer = await resume(send, upload, Buffer.from(rows(100)), [500])
    expect(answer.status).to.equal(200)
    expect(answer.headers).to.include({ 'upload-complete': '?1' })
    expect(answer.body.match(/"loan":"L-\d+"/g)).to.have.length(2000)
    const { answer: head } = await send({ method: 'HEAD', path: upload })
    expect(head?.headers['evidence-outcome']).to.equal('answered;status=200;recipient-status=200')
  })

  it('with Expect: 100-continue, beside the 104', async () => {
    const headers = { expect: '100-continue', 'content-type': 'application/x-ndjson', 'upload-complete': '?1', 'upload-draft-interop-version': '8' } // prettier-ignore
    const body = Buffer.from(rows(100))
    const { answer, informed } = await send({
      method: 'POST',
      path: '/harbour-bank/rows',
      headers,
      body,
    })
    expect(answer?.status).to.equal(200)
    expect(informed.map(({ statusCode }) => statusCode)).to.include.members([104])
    expect(relay.recipient.received).to.have.length(1)
  })
})
