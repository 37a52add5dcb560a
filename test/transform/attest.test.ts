import { expect } from 'chai'
import {
  createLocalJWKSet,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { askOverHttp, type Verifier } from '../../gateway/transform/attest.ts'
import { bind, NULL, settle, text, textOf, tryBind } from './bind.ts'

const MOBILE = '13800138000'
const ISSUER = 'https://operator-one.example'
/** Asked at each use: files are read long before their tests run. */
const nowS = () => Math.floor(Number(systemClock.wallUs() / 1_000_000n))

type Claims = Record<string, unknown>
type Answer = (question: Claims, response: ServerResponse) => void | Promise<void>

describe('attest', () => {
  let server: Server
  let url: string
  let answer: Answer
  let questions: Claims[]
  let sign: (claims: Claims, header?: Claims) => Promise<string>
  let verifier: Verifier

  before(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'v1', alg: 'ES256' }
    sign = (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'v1', ...header })
        .sign(privateKey)
    server = createServer(async (request, response) => {
      const question: Claims = JSON.parse(await readAll(request))
      questions.push(question)
      await answer(question, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/check`
    verifier = {
      issuer: ISSUER,
      keys: createLocalJWKSet({ keys: [jwk] }),
      ask: askOverHttp(url, 5000),
    }
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    questions = []
  })

  const right = ({ kind, audience, nonce }: Claims): Claims => ({
    iss: ISSUER,
    aud: audience,
    iat: nowS(),
    nonce,
    kind,
    result: true, // prettier-ignore
  })
  const signing =
    (change: (claims: Claims) => Claims, header?: Claims): Answer =>
    async (question, response) => {
      response.end(await sign(change(right(question)), header))
    }
  const attest = (timeoutMs = 5000) => {
    const verifiers = new Map([['operator-one', { ...verifier, ask: askOverHttp(url, timeoutMs) }]])
    const options = { binding: { kind: 'mobile' }, ports: { verifiers } }
    return bind('attest', { attest: 'operator-one' }, options)
  }

  it('passes on the signed result and nothing of the value', async () => {
    answer = signing((claims) => claims)
    const statement = textOf(await settle(attest()(text(MOBILE))))
    expect(questions).to.have.length(1)
    expect(questions[0]).to.include({ kind: 'mobile', value: MOBILE, audience: 'harbour-bank' })
    expect(decodeJwt(statement)).to.include({ iss: ISSUER, aud: 'harbour-bank', result: true })
    expect(JSON.stringify(decodeJwt(statement))).to.not.include(MOBILE)
    expect(attest()(NULL)).to.deep.equal({ change: 'keep' })
  })

  it('takes a word as the result', async () => {
    answer = signing((claims) => ({ ...claims, result: 'name-differs' }))
    expect(decodeJwt(textOf(await settle(attest()(text(MOBILE)))))).to.include({
      result: 'name-differs',
    })
  })

  // prettier-ignore
  const FAULTS: { name: string; answer: () => Answer; detail: RegExp }[] = [
    { name: 'another nonce',         answer: () => signing((c) => ({ ...c, nonce: 'x' })),             detail: /something else/ },
    { name: 'another kind',          answer: () => signing((c) => ({ ...c, kind: 'email' })),          detail: /something else/ },
    { name: 'an extra claim',        answer: () => signing((c) => ({ ...c, name: 'x' })),              detail: /something else/ },
    { name: 'an extra header',       answer: () => signing((c) => c, { note: MOBILE }),                detail: /something else/ },
    { name: 'the value as result',   answer: () => signing((c) => ({ ...c, result: MOBILE })),         detail: /something else/ },
    { name: 'no result',             answer: () => signing(({ result: _, ...c }) => c),                detail: /something else/ },
    { name: 'another issuer',        answer: () => signing((c) => ({ ...c, iss: 'x' })),               detail: /does not verify/ },
    { name: 'another audience',      answer: () => signing((c) => ({ ...c, aud: 'island-bank' })),     detail: /does not verify/ },
    { name: 'an old statement',      answer: () => signing((c) => ({ ...c, iat: nowS() - 400 })),       detail: /does not verify/ },
    { name: 'no time',               answer: () => signing(({ iat: _, ...c }) => c),                   detail: /does not verify/ },
    { name: 'an unknown key',        answer: () => signing((c) => c, { kid: 'v2' }),                   detail: /does not verify/ },
    { name: 'no signature',          answer: () => (q, r) => void r.end(new UnsecuredJWT(right(q)).encode()), detail: /does not verify/ },
    { name: 'a changed signature',   answer: () => async (q, r) => void r.end((await sign(right(q))).slice(0, -4) + 'AAAA'), detail: /does not verify/ },
    { name: 'the value in clear',    answer: () => (q, r) => void r.end(String(q['value'])),           detail: /does not verify/ },
    { name: 'status 500',            answer: () => async (q, r) => void r.writeHead(500).end(await sign(right(q))), detail: /no answer/ },
    { name: 'a redirect',            answer: () => (_q, r) => void r.writeHead(307, { location: url }).end(), detail: /no answer/ },
    { name: 'an endless answer',     answer: () => (_q, r) => void r.end('x'.repeat(9000)),            detail: /no answer/ },
    { name: 'a cut connection',      answer: () => (_q, r) => void r.destroy(),                        detail: /no answer/ },
    { name: 'silence',               answer: () => () => undefined,                                    detail: /no answer/ },
  ]
  for (const { name, answer: make, detail } of FAULTS) {
    it(`passes nothing on after ${name}`, async () => {
      answer = make()
      const error = await settle(attest(name === 'silence' ? 100 : 5000)(text(MOBILE))).catch(
        (caught: unknown) => caught,
      )
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'verifier-failed')
      expect(String(error)).to.match(detail).and.not.include(MOBILE)
    })
  }

  it('complains of an unknown verifier', () => {
    expect(tryBind('attest', { attest: 'operator-two' }).complaints).to.deep.equal([
      'there is no verifier `operator-two`: add it to `verifiers` in sealgate.yaml',
    ])
    const ports = { verifiers: new Map([['operator-one', verifier]]) }
    expect(tryBind('attest', { attest: 'operator-two' }, { ports }).complaints).to.deep.equal([
      'there is no verifier `operator-two`: known are `operator-one`',
    ])
  })
})

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString('utf8')
}
