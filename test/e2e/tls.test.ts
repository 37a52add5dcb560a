import { expect } from 'chai'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import type { Gateway } from '../../gateway/serve.ts'
import { describeForeign } from '../foreign/tool.ts'
import { type Bank, startBank } from '../support/bank.ts'
import { makeCertificates } from '../support/certificates.ts'
import { type Installation, createInstallation } from '../support/installation.ts'
import { findRecord } from '../support/records.ts'
import { APPLICATION } from '../support/relay.ts'

describeForeign('mutual TLS', ['openssl', 'version'], () => {
  let bank: Bank
  let installation: Installation
  let gateway: Gateway

  before(async () => {
    bank = await startBank()
    installation = await createInstallation(bank.url)
    makeCertificates(installation.folder)
    const text = readFileSync(installation.configFile, 'utf8')
    writeFileSync(
      installation.configFile,
      text
        .replace(
          'listen: 127.0.0.1:0 }',
          'listen: 127.0.0.1:0, tls: { cert: server.crt, key: server.key, clientCa: ca.crt } }',
        )
        .replace(
          '{ jwt: { jwks: keys/sunrise-platform.jwks.json } }',
          '{ mtls: { subject: "C=CN, O=Sunrise, CN=sunrise-gateway" } }',
        ),
    )
    gateway = await installation.start()
  })
  after(async () => {
    await gateway.close()
    await bank.close()
    installation.remove()
  })

  async function apply(client: string | undefined, options: RequestOptions = {}) {
    const read = (name: string) => readFileSync(join(installation.folder, name))
    const outgoing = request(`${gateway.relayUrl}/harbour-bank/credit/applications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': APPLICATION.length },
      ca: read('ca.crt'),
      agent: false,
      ...(client === undefined ? {} : { cert: read(`${client}.crt`), key: read(`${client}.key`) }),
      ...options,
    })
    outgoing.end(APPLICATION)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { status: response.statusCode, rid: response.headers['evidence-id'], text }
  }

  it('identifies a party by its certificate, and names the certificate in the record', async () => {
    const { status, rid, text } = await apply('sunrise')
    expect(status, text).to.equal(200)
    const record = await findRecord(installation.config(), rid)
    expect(record['caller']).to.include({ id: 'sunrise-platform', auth: 'mtls' })
  })

  // prettier-ignore
  const REFUSED = [
    { name: 'a subject that is no party', client: 'stranger', slug: 'credentials-invalid' },
    { name: 'a certificate of its own making', client: 'self', slug: 'credentials-missing' },
    { name: 'no certificate',             client: undefined,  slug: 'credentials-missing' },
  ]
  for (const { name, client, slug } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const { status, text } = await apply(client)
      expect(status).to.equal(401)
      expect(text).to.include(`/problems/${slug}`)
    })
  }

  it('refuses TLS 1.1', async () => {
    const error = await apply('sunrise', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }).catch(
      (e: unknown) => e,
    )
    expect(error).to.be.instanceOf(Error)
  })
})
