import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { readPem, toPem } from '../../evidence/pem.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import { httpSource, requestTimestamp } from '../../evidence/timestamp/client.ts'
import { encodeRequest, makeRequest } from '../../evidence/timestamp/request.ts'
import { tokenOfResponse } from '../../evidence/timestamp/token.ts'
import { verifyTimestampResponse } from '../../evidence/timestamp/verify.ts'
import {
  createAuthority,
  generateKey,
  importKey,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const data = Buffer.from('origin\n1\nroot\n\n— origin AAAA\n')
const imprint = createHash('sha256').update(data).digest()

describeForeign('openssl ts and cms', ['openssl', 'version'], () => {
  const folder = makeFolder({ data })
  const openssl = (...args: string[]) => runTool('openssl', args, folder.path)
  after(() => folder.remove())
  let response: Uint8Array

  before(async () => {
    const at = new Date()
    const { root, issuing } = await createAuthority(at)
    const signer = keySigner(generateKey())
    const names = { commonName: 'TSA', organization: '某某征信有限公司', at, days: 30 }
    const certificateDer = await issueTimestampAuthority(toIssuer(issuing), signer.spki, names)
    const chainDer = [issuing.certificateDer, root.certificateDer]
    const ports = { signer, certificateDer, chainDer, clock: systemClock }
    response = await createTimestampAuthority(ports)(encodeRequest(makeRequest('SHA-256', imprint)))
    folder.put('root', toPem('CERTIFICATE', root.certificateDer))
    folder.put('tsr', response)
    folder.put('token', tokenOfResponse(response))
  })

  const verify = (...args: string[]) => openssl('ts', '-verify', '-CAfile', 'root', ...args)
  const cms = (file: string) =>
    openssl(
      'cms',
      '-verify',
      '-inform',
      'DER',
      '-in',
      file,
      '-CAfile',
      'root',
      '-purpose',
      'timestampsign',
      '-out',
      'info',
    )

  it('accept the response and the token of the embedded authority', () => {
    expect(verify('-data', 'data', '-in', 'tsr').text).to.match(/^Verification: OK$/m)
    expect(verify('-data', 'data', '-in', 'token', '-token_in').text).to.match(
      /^Verification: OK$/m,
    )
    expect(cms('token').ok).to.equal(true)
  })

  it('reject other data, and a flipped bit in content, attributes or signature', () => {
    folder.put('other', 'other')
    expect(verify('-data', 'other', '-in', 'tsr').ok).to.equal(false)
    const token = tokenOfResponse(response)
    for (const place of [0.1, 0.85, 0.93, 0.99]) {
      const mutated = Uint8Array.from(token)
      const position = Math.floor(token.length * place)
      mutated[position] = (mutated[position] ?? 0) ^ 1
      folder.put('mutated', mutated)
      expect(verify('-data', 'data', '-in', 'mutated', '-token_in').ok, `at ${position}`).to.equal(
        false,
      )
    }
  })
})

describeForeign('tokens of an openssl authority', ['openssl', 'version'], () => {
  const folder = makeFolder({ data })
  const openssl = (...args: string[]) => runTool('openssl', args, folder.path)
  const read = (file: string) => readFileSync(join(folder.path, file))
  const pem = (file: string) => readPem(read(file).toString())
  let server: Server
  let spoil: (request: Buffer) => {
    section?: string
    request?: Buffer
    answer?: (der: Buffer) => Buffer
  } = () => ({})

  /** A real openssl TSA behind HTTP. */
  const answer: RequestListener = (request, reply) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const wish = spoil(Buffer.concat(parts))
      folder.put('tsq', wish.request ?? Buffer.concat(parts))
      openssl(
        'ts',
        '-reply',
        '-config',
        'tsa.cnf',
        '-section',
        wish.section ?? 'good',
        '-queryfile',
        'tsq',
        '-out',
        'tsr',
      )
      reply.setHeader('content-type', 'application/timestamp-reply')
      reply.end(wish.answer?.(read('tsr')) ?? read('tsr'))
    })
  }

  before((done) => {
    folder.put('tsa.cnf', CONFIG)
    const made = [
      openssl(
        'req',
        '-x509',
        '-config',
        'tsa.cnf',
        '-extensions',
        'ca',
        '-nodes',
        '-newkey',
        'rsa:2048',
        '-keyout',
        'ca.key',
        '-out',
        'ca.crt',
        '-subj',
        '/CN=Outside root',
        '-days',
        '9',
      ),
      ...['good', 'noncritical', 'noeku'].flatMap((name) => [
        openssl(
          'req',
          '-new',
          '-config',
          'tsa.cnf',
          '-nodes',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-keyout',
          `${name}.key`,
          '-out',
          `${name}.csr`,
          '-subj',
          `/CN=Outside TSA ${name}`,
        ),
        openssl(
          'x509',
          '-req',
          '-in',
          `${name}.csr`,
          '-CA',
          'ca.crt',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-extfile',
          'tsa.cnf',
          '-extensions',
          `x_${name}`,
          '-days',
          '9',
          '-out',
          `${name}.crt`,
        ),
      ]),
    ]
    for (const { ok, text } of made) expect(ok, text).to.equal(true)
    folder.put('serial', '01')
    server = createServer(answer).listen(0, '127.0.0.1', done)
  })
  beforeEach(() => {
    spoil = () => ({})
  })
  after((done) => {
    folder.remove()
    server.close(done)
  })

  const ask = (policy?: string) => {
    const { port } = server.address() as AddressInfo
    const trust = { roots: pem('ca.crt'), ...(policy === undefined ? {} : { policy }) }
    return requestTimestamp(httpSource(`http://127.0.0.1:${port}/tsa`, trust), data, systemClock)
  }

  it('are accepted over HTTP, and kept byte for byte', async () => {
    const { response, result } = await ask('1.2.3.4.1')
    expect(result.valid).to.equal(true)
    expect(result.development).to.equal(false)
    expect(Buffer.from(response).equals(read('tsr'))).to.equal(true)
    expect(result.info).to.include({ policy: '1.2.3.4.1', accuracyMs: 1500.1 })
  })

  for (const section of ['sha512', 'rsa']) {
    it(`are accepted with ${section}`, async () => {
      if (section === 'rsa') {
        const made = [
          openssl(
            'req',
            '-new',
            '-config',
            'tsa.cnf',
            '-nodes',
            '-newkey',
            'rsa:2048',
            '-keyout',
            'rsa.key',
            '-out',
            'rsa.csr',
            '-subj',
            '/CN=Outside TSA rsa',
          ),
          openssl(
            'x509',
            '-req',
            '-in',
            'rsa.csr',
            '-CA',
            'ca.crt',
            '-CAkey',
            'ca.key',
            '-extfile',
            'tsa.cnf',
            '-extensions',
            'x_good',
            '-days',
            '9',
            '-out',
            'rsa.crt',
          ),
        ]
        for (const { ok, text } of made) expect(ok, text).to.equal(true)
      }
      spoil = () => ({ section })
      expect((await ask()).result.reasons).to.deep.equal([])
    })
  }

  const flipAt = (share: number) => (der: Buffer) => {
    const copy = Buffer.from(der)
    const position = Math.floor(der.length * share)
    copy[position] = (copy[position] ?? 0) ^ 1
    return copy
  }
  // prettier-ignore
  const REJECT: { name: string; how: typeof spoil; policy?: string; want: RegExp }[] = [
    { name: 'for another nonce',          how: () => ({ request: Buffer.from(encodeRequest(makeRequest('SHA-256', imprint))) }),                 want: /answers another request \(nonce\)$/ },
    { name: 'over other data',            how: () => ({ request: Buffer.from(encodeRequest(makeRequest('SHA-256', Buffer.alloc(32)))) }),     want: /stamps other data/ },
    { name: 'of another policy',          how: (request) => ({ request: Buffer.from(request.toString('latin1').replace('\x2a\x03\x04\x02', '\x2a\x03\x04\x01'), 'latin1') }), policy: '1.2.3.4.2', want: /has policy 1\.2\.3\.4\.1, expected 1\.2\.3\.4\.2$/ },
    { name: 'by an expired certificate',  how: () => ({ section: 'expired' }),                                                      want: /was expired at/ },
    { name: 'with ESSCertID of SHA-1',    how: () => ({ section: 'sha1id' }),                                                       want: /does not name its certificate/ },
    { name: 'with an altered signature',  how: () => ({ answer: flipAt(0.998) }),                                                   want: /signature is wrong/ },
    { name: 'with altered attributes',    how: () => ({ answer: alterDigest }),                                                     want: /signature is wrong/ },
    { name: 'refused by the authority',   how: () => ({ request: Buffer.from('junk') }),                                            want: /refuses with status 2/ },
    { name: 'with too many bytes',        how: () => ({ answer: () => Buffer.alloc(70_000) }),                                      want: /has over 65536 bytes/ },
  ]
  for (const { name, how, policy, want } of REJECT) {
    it(`are rejected ${name}`, async () => {
      if (name.includes('expired')) makeExpired()
      spoil = how
      const error = await ask(policy).then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      expect(error).to.have.property('slug', 'timestamp-unavailable')
      expect(error?.message).to.match(want)
    })
  }

  it('are rejected cut at any byte', async () => {
    const { response } = await ask()
    for (let length = 0; length < response.length; length++) {
      const cut = response.subarray(0, length)
      const { valid } = await verifyTimestampResponse(cut, data, { roots: pem('ca.crt') })
      expect(valid, `length ${length}`).to.equal(false)
    }
  })

  // openssl refuses to stamp with such certificates, so ours signs in their name.
  for (const [name, want] of [
    ['noncritical', /not critical/],
    ['noeku', /needs extKeyUsage/],
  ] as const) {
    it(`are rejected under a certificate with ${name}`, async () => {
      const [keyDer = new Uint8Array()] = readPem(read(`${name}.key`).toString(), 'PRIVATE KEY')
      const [certificateDer = new Uint8Array()] = pem(`${name}.crt`)
      const ports = {
        signer: keySigner(importKey(keyDer)),
        certificateDer,
        chainDer: [],
        clock: systemClock,
      }
      const response = await createTimestampAuthority(ports)(
        encodeRequest(makeRequest('SHA-256', imprint)),
      )
      const { reasons } = await verifyTimestampResponse(response, data, { roots: pem('ca.crt') })
      expect(reasons.join()).to.match(want)
    })
  }

  /** The messageDigest attribute, found by its object identifier. */
  function alterDigest(der: Buffer): Buffer {
    const at = der.indexOf(Buffer.from('06092a864886f70d010904', 'hex'))
    const copy = Buffer.from(der)
    copy[at + 20] = (copy[at + 20] ?? 0) ^ 1
    return copy
  }

  function makeExpired(): void {
    const made = [
      openssl(
        'req',
        '-new',
        '-config',
        'tsa.cnf',
        '-nodes',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-keyout',
        'expired.key',
        '-out',
        'expired.csr',
        '-subj',
        '/CN=Outside TSA expired',
      ),
      openssl(
        'ca',
        '-batch',
        '-name',
        'files',
        '-config',
        'tsa.cnf',
        '-in',
        'expired.csr',
        '-out',
        'expired.crt',
        '-extensions',
        'x_good',
        '-startdate',
        '20200101000000Z',
        '-enddate',
        '20210101000000Z',
        '-notext',
      ),
    ]
    for (const { ok, text } of made) expect(ok, text).to.equal(true)
  }

  const tsa = (name: string, key: string, more = '') => `[${name}]
serial = serial
signer_cert = ${key}.crt
signer_key = ${key}.key
certs = ca.crt
signer_digest = ${name === 'sha512' ? 'sha512' : 'sha256'}
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ess_cert_id_alg = ${name === 'sha1id' ? 'sha1' : 'sha256'}
${more}`
  const CONFIG = `[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[files]
database = index
new_certs_dir = .
serial = caserial
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[x_good]
extendedKeyUsage = critical,timeStamping
[x_noncritical]
extendedKeyUsage = timeStamping
[x_noeku]
keyUsage = critical,digitalSignature
${tsa('good', 'good')}
${tsa('sha512', 'good')}
${tsa('sha1id', 'good')}
${tsa('rsa', 'rsa')}
${tsa('expired', 'expired')}
`
  folder.put('index', '')
  folder.put('caserial', '1000')
})
