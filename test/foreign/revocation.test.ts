import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.ts'
import { readPem } from '../../evidence/pem.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import { requestTimestamp, type TimestampSource } from '../../evidence/timestamp/client.ts'
import { createRevocationSource, distributionPoints } from '../../evidence/timestamp/revocation.ts'
import { importKey, keySigner } from '../../evidence/x509-issue.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const DATA = Buffer.from('checkpoint\n')
const DAY_US = 86_400_000_000n

describeForeign('lists of an openssl authority, for time stamps', ['openssl', 'version'], () => {
  const folder = makeFolder()
  const openssl = (...args: string[]): void => {
    const { ok, text } = runTool('openssl', args, folder.path)
    if (!ok) throw new Error(text)
  }
  const ca = (...args: string[]) =>
    openssl('ca', '-batch', '-name', 'files', '-config', 'ca.cnf', ...args)
  const der = (file: string) => {
    const [first = new Uint8Array()] = readPem(readFileSync(join(folder.path, file), 'utf8'))
    return first
  }
  let server: Server
  let served: { status: number; body: Uint8Array }
  let fetched = 0
  let aheadUs = 0n
  const clock: Clock = { ...systemClock, wallUs: () => systemClock.wallUs() + aheadUs }

  before(async () => {
    server = createServer((_, reply) => {
      fetched += 1
      reply.writeHead(served.status).end(served.body)
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    folder.put('ca.cnf', config(`http://127.0.0.1:${port}/ca.crl`))
    folder.put('index', '')
    folder.put('serial', '1000')
    folder.put('crlnumber', '01')
    const key = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    openssl(...['req', '-x509', '-config', 'ca.cnf', '-extensions', 'root', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Outside root', '-days', '90']) // prettier-ignore
    openssl(...['req', '-new', '-config', 'ca.cnf', ...key, '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=Outside TSA']) // prettier-ignore
    ca('-in', 'tsa.csr', '-out', 'tsa.crt', '-extensions', 'tsa', '-days', '60', '-notext')
  })
  after((done) => {
    folder.remove()
    server.close(done)
  })
  beforeEach(() => {
    aheadUs = 0n
    serve()
  })

  /** Makes the newest list and serves it. */
  function serve(): void {
    ca('-gencrl', '-out', 'ca.crl')
    openssl('crl', '-in', 'ca.crl', '-outform', 'DER', '-out', 'ca.crl.der')
    served = { status: 200, body: readFileSync(join(folder.path, 'ca.crl.der')) }
  }

  function source(): TimestampSource {
    const text = readFileSync(join(folder.path, 'tsa.key'), 'utf8')
    const [key = new Uint8Array()] = readPem(text, 'PRIVATE KEY')
    const signer = keySigner(importKey(key))
    const ports = { signer, certificateDer: der('tsa.crt'), chainDer: [], clock }
    const [send, revocation] = [createTimestampAuthority(ports), createRevocationSource([], clock)]
    return { name: 'outside', roots: [der('ca.crt')], send, revocation }
  }
  const problem = (of: TimestampSource) =>
    requestTimestamp(of, DATA, clock).then(
      () => 'accepted',
      (error: Error) => error.message,
    )

  it('are found in the certificate, fetched once an hour, and kept with the token', async () => {
    const of = source()
    expect(distributionPoints(der('tsa.crt'))).to.have.length(1)
    const before = fetched
    const { revocationLists } = await requestTimestamp(of, DATA, clock)
    expect(revocationLists.map((list) => Buffer.from(list))).to.deep.equal([served.body])
    await requestTimestamp(of, DATA, clock)
    expect(fetched - before).to.equal(1)
  })

  it('go on while a newer one cannot be had, until they end', async () => {
    const of = source()
    expect(await problem(of)).to.equal('accepted')
    served = { status: 503, body: Buffer.alloc(0) }
    aheadUs = DAY_US
    expect(await problem(of)).to.match(/clock was set|status 2/) // The authority saw its clock jump.
    const again = { ...source(), ...(of.revocation && { revocation: of.revocation }) }
    expect(await problem(again)).to.equal('accepted')
    aheadUs = 9n * DAY_US
    const late = { ...source(), ...(of.revocation && { revocation: of.revocation }) }
    expect(await problem(late)).to.match(/no revocation list for `.*Outside TSA.*` at/)
  })

  // prettier-ignore
  const REFUSED: { name: string; serve: () => void; want: RegExp }[] = [
    { name: 'that are not there',      serve: () => { served = { status: 404, body: Buffer.from('gone') } },          want: /revocation list of 127\.0\.0\.1:\d+: status 404, expected 200/ },
    { name: 'that are no lists',       serve: () => { served = { status: 200, body: Buffer.from('<html>') } },        want: /the answer is no complete list/ },
    { name: 'that are cut short',      serve: () => { served = { status: 200, body: served.body.subarray(0, -1) } },  want: /the answer is no complete list/ },
    { name: 'whose signature is wrong', serve: () => { served = { status: 200, body: flipLast(served.body) } },       want: /no revocation list for/ },
    { name: 'that never end',          serve: () => { served = { status: 200, body: Buffer.alloc(9_000_000) } },      want: /the answer has over 8388608 bytes/ },
    { name: 'that name the certificate', serve: () => { ca('-revoke', 'tsa.crt'); serve() },                          want: /`.*Outside TSA.*` was revoked at/ },
  ]
  for (const { name, serve: change, want } of REFUSED) {
    it(`refuse a token when they are such ${name}`, async () => {
      change()
      expect(await problem(source())).to.match(want)
    })
  }

  function flipLast(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes)
    copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
    return copy
  }

  const config = (url: string) => `[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[files]
database = index
new_certs_dir = .
serial = serial
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_crl_days = 7
crl_extensions = lists
crlnumber = crlnumber
policy = any
unique_subject = no
[lists]
authorityKeyIdentifier = keyid
[any]
commonName = supplied
[tsa]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
crlDistributionPoints = URI:${url}, URI:ldap://127.0.0.1/ca
`
})
