import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Envelope } from '../../gateway/envelope/envelope.ts'
import { createEnvelopeBench } from '../support/envelopes.ts'
import { describeForeign, type Run, runTool } from './tool.ts'

const INNER = Buffer.from('{"amount":1.10,"name":"王小明"}')
const bench = createEnvelopeBench()
const keys = join(bench.folder, 'keys')

const openOne = async (yaml: string): Promise<Envelope> => {
  const envelope = (await bench.open(`  - id: e\n    ${yaml}\n`)).get('e')
  if (envelope === undefined) throw new Error('no envelope')
  return envelope
}
const open = (envelope: Envelope, mediaType: string, body: string | Buffer) =>
  envelope.open({ head: new Map([['content-type', mediaType]]), body: Buffer.from(body) })
const hexOf = (name: string): string => {
  const [form = '', value = ''] = readFileSync(join(keys, name), 'utf8').trim().split(':')
  return Buffer.from(value, form === 'text' ? 'utf8' : (form as 'hex')).toString('hex')
}
const run = (command: string, ...args: string[]): Run => {
  const done = runTool(command, args, keys)
  expect(done.ok, done.text).to.equal(true)
  return done
}
const read = (name: string) => readFileSync(join(keys, name))

describeForeign('openssl on envelopes', ['openssl', 'version'], () => {
  // prettier-ignore
  const CIPHERS = [
    { name: 'aes-256-cbc', key: 'key32' },
    { name: 'aes-128-cbc', key: 'key16' },
    { name: 'sm4-cbc',     key: 'key16' },
  ]
  for (const { name, key } of CIPHERS) {
    it(`opens our ${name}, and we open its`, async () => {
      const weak = 'weak: { accepted: [ unauthenticated ], by: 李, until: 2027-01-31 }'
      const envelope = await openOne(
        `cipher: { algorithm: ${name}, key: keys/${key} }\n    ${weak}`,
      )
      const bytes = Buffer.from((await envelope.seal(INNER)).body.toString(), 'base64')
      const iv = bytes.subarray(0, 16).toString('hex')
      bench.put('ours', bytes.subarray(16))
      const flags = [`-${name}`, '-K', hexOf(key), '-iv', iv]
      run('openssl', 'enc', '-d', ...flags, '-in', 'ours', '-out', 'plain')
      expect(read('plain')).to.deep.equal(INNER)
      run('openssl', 'enc', ...flags, '-in', 'plain', '-out', 'theirs')
      const theirs = Buffer.concat([bytes.subarray(0, 16), read('theirs')]).toString('base64')
      expect(await open(envelope, 'text/plain', theirs)).to.deep.equal(INNER)
    })
  }

  it('unwraps our RSA-OAEP key and verifies our signature, and makes what we open', async () => {
    const envelope = await openOne(
      'json: { data: data }\n    cipher: { algorithm: aes-128-cbc, wrap: { algorithm: rsa-oaep-256, member: key, ours: keys/a.rsa, theirs: keys/b.rsa.pub } }\n    sign: { algorithm: rsa-sha256, member: sign, over: sorted, ours: keys/a.rsa, theirs: keys/b.rsa.pub }',
    )
    const sealed = JSON.parse((await envelope.seal(INNER)).body.toString()) as Record<
      string,
      string
    >
    const put = (name: string, base64 = '') => bench.put(name, Buffer.from(base64, 'base64'))
    put('wrapped', sealed['key'])
    put('signature', sealed['sign'])
    bench.put('signed', `data=${sealed['data']}&key=${sealed['key']}`)
    const oaep = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256']
    run('openssl', 'pkeyutl', '-decrypt', '-inkey', 'b.rsa', ...oaep, '-in', 'wrapped', '-out', 'k')
    const bytes = Buffer.from(sealed['data'] ?? '', 'base64')
    bench.put('ours', bytes.subarray(16))
    const flags = [
      '-aes-128-cbc',
      '-K',
      read('k').toString('hex'),
      '-iv',
      bytes.subarray(0, 16).toString('hex'),
    ]
    run('openssl', 'enc', '-d', ...flags, '-in', 'ours', '-out', 'plain')
    expect(read('plain')).to.deep.equal(INNER)
    run('openssl', 'pkey', '-in', 'a.rsa', '-pubout', '-out', 'a.pem')
    run('openssl', 'dgst', '-sha256', '-verify', 'a.pem', '-signature', 'signature', 'signed')
    // The other way: the same content key and text, wrapped and signed by openssl.
    run(
      'openssl',
      'pkeyutl',
      '-encrypt',
      '-pubin',
      '-inkey',
      'a.rsa.pub',
      ...oaep,
      '-in',
      'k',
      '-out',
      'rewrapped',
    )
    const theirs: Record<string, string> = {
      data: sealed['data'] ?? '',
      key: read('rewrapped').toString('base64'),
    }
    bench.put('signed', `data=${theirs['data']}&key=${theirs['key']}`)
    run('openssl', 'dgst', '-sha256', '-sign', 'b.rsa', '-out', 'theirs', 'signed')
    theirs['sign'] = read('theirs').toString('base64')
    expect(await open(envelope, 'application/json', JSON.stringify(theirs))).to.deep.equal(INNER)
  })

  it('unwraps our SM2 key and verifies our SM2 signature', async () => {
    const envelope = await openOne(
      'json: { data: data }\n    cipher: { algorithm: sm4-cbc, wrap: { algorithm: sm2, form: der, member: key, ours: keys/a.sm2, theirs: keys/b.sm2.pub } }\n    sign: { algorithm: sm2-sm3, member: sign, over: sorted, ours: keys/a.sm2, theirs: keys/b.sm2.pub }',
    )
    const sealed = JSON.parse((await envelope.seal(INNER)).body.toString()) as Record<
      string,
      string
    >
    bench.put('wrapped', Buffer.from(sealed['key'] ?? '', 'base64'))
    run('openssl', 'pkeyutl', '-decrypt', '-inkey', 'b.sm2', '-in', 'wrapped', '-out', 'k')
    const bytes = Buffer.from(sealed['data'] ?? '', 'base64')
    bench.put('ours', bytes.subarray(16))
    const flags = [
      '-sm4-cbc',
      '-K',
      read('k').toString('hex'),
      '-iv',
      bytes.subarray(0, 16).toString('hex'),
    ]
    run('openssl', 'enc', '-d', ...flags, '-in', 'ours', '-out', 'plain')
    expect(read('plain')).to.deep.equal(INNER)
    bench.put('signed', `data=${sealed['data']}&key=${sealed['key']}`)
    bench.put('signature', Buffer.from(sealed['sign'] ?? '', 'base64'))
    run(
      'openssl',
      'dgst',
      '-sm3',
      '-sigopt',
      'distid:1234567812345678',
      '-verify',
      'a.sm2.pub',
      '-signature',
      'signature',
      'signed',
    )
  })
})

describeForeign('latchset jose on envelopes', ['jose', 'alg'], () => {
  it('opens our JWE, and we open its', async () => {
    const pair = 'ours: keys/a.ec.jwk, theirs: keys/b.ec.pub.jwk'
    const envelope = await openOne(
      `jwe: { algorithm: ECDH-ES+A256KW, encryption: A256GCM, ${pair} }`,
    )
    bench.put('jwe', (await envelope.seal(INNER)).body.toString())
    run('jose', 'jwe', 'dec', '-i', 'jwe', '-k', 'b.ec.jwk', '-O', 'plain')
    expect(read('plain')).to.deep.equal(INNER)
    const template = '{"protected":{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}}'
    run(
      'jose',
      'jwe',
      'enc',
      '-i',
      template,
      '-I',
      'plain',
      '-k',
      'a.ec.pub.jwk',
      '-c',
      '-o',
      'theirs',
    )
    expect(
      await open(envelope, 'application/jose', read('theirs').toString().trim()),
    ).to.deep.equal(INNER)
  })

  it('verifies our JWS, and we verify its', async () => {
    const envelope = await openOne(
      'jws: { algorithm: ES256, ours: keys/a.ec.jwk, theirs: keys/b.ec.pub.jwk }',
    )
    bench.put('jws', (await envelope.seal(INNER)).body.toString())
    run('jose', 'jws', 'ver', '-i', 'jws', '-k', 'a.ec.pub.jwk', '-O', 'plain')
    expect(read('plain')).to.deep.equal(INNER)
    run(
      'jose',
      'jws',
      'sig',
      '-s',
      '{"protected":{"alg":"ES256"}}',
      '-I',
      'plain',
      '-k',
      'b.ec.jwk',
      '-c',
      '-o',
      'theirs',
    )
    expect(
      await open(envelope, 'application/jose', read('theirs').toString().trim()),
    ).to.deep.equal(INNER)
  })
})

const JWCRYPTO = `
import sys
from jwcrypto import jwk, jwe
key = jwk.JWK.from_json(open('b.rsa.jwk').read())
token = jwe.JWE()
token.deserialize(open('jwe').read(), key)
open('plain', 'wb').write(token.payload)
to = jwk.JWK.from_json(open('a.rsa.pub.jwk').read())
made = jwe.JWE(token.payload, '{"alg":"RSA-OAEP-256","enc":"A128CBC-HS256"}', recipient=to)
open('theirs', 'w').write(made.serialize(compact=True))
`

describeForeign('jwcrypto on envelopes', ['/usr/bin/python3', '-c', 'import jwcrypto'], () => {
  it('opens our JWE, and we open its', async () => {
    const pair = 'ours: keys/a.rsa.jwk, theirs: keys/b.rsa.pub.jwk'
    const envelope = await openOne(
      `jwe: { algorithm: RSA-OAEP-256, encryption: A128CBC-HS256, ${pair} }`,
    )
    bench.put('jwe', (await envelope.seal(INNER)).body.toString())
    bench.put('program.py', JWCRYPTO)
    run('/usr/bin/python3', 'program.py')
    expect(read('plain')).to.deep.equal(INNER)
    expect(await open(envelope, 'application/jose', read('theirs').toString())).to.deep.equal(INNER)
  })
})

after(() => bench.remove())
