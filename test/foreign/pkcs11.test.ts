import { expect } from 'chai'
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dlopen } from 'node:ffi'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { openTokenIdentity } from '../../evidence/pkcs11/identity.ts'
import { openTokenKey, type TokenPlace } from '../../evidence/pkcs11/token.ts'
import { createSealer } from '../../evidence/seal.ts'
import { startBank } from '../support/bank.ts'
import { call } from '../support/client.ts'
import { createInstallation } from '../support/installation.ts'
import { runCommand, spawnGateway } from '../support/process.ts'
import { findRecord } from '../support/records.ts'
import { createTokens, SOFTHSM, SOFTHSM_PROBE, type Token } from './softhsm.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'
import { APPLICATION } from '../support/relay.ts'

describeForeign('seal keys in SoftHSM2', SOFTHSM_PROBE, () => {
  const folder = makeFolder()
  let tokens: Token
  let place: TokenPlace
  before(() => {
    tokens = createTokens(folder.path)
    for (const label of ['hsm', 'locked', 'twice', 'twice']) tokens.init(label)
    const p256 = ['--key-type', 'EC:prime256v1', '--sensitive'] as const
    tokens.key('hsm', 'seal', ...p256)
    tokens.key('hsm', 'p384', '--key-type', 'EC:secp384r1', '--sensitive')
    tokens.key('hsm', 'loose', ...p256, '--extractable')
    tokens.key('hsm', 'pair', ...p256)
    tokens.key('hsm', 'pair', ...p256)
    place = { module: SOFTHSM, token: 'hsm', pin: tokens.pin, label: 'seal' }
  })
  after(() => folder.remove())

  it('sign, and node and openssl verify', async () => {
    const key = await openTokenKey(place)
    const signature = key.sign(Buffer.from('record'))
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
    const check = (text: string) =>
      verify('sha256', Buffer.from(text), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
    expect([check('record'), check('recorD')]).to.deep.equal([true, false])
  })

  it('seal records under a certificate that is kept, and jose verifies them', async () => {
    const keys = join(folder.path, 'keys')
    const names = { instance: 'i-1', organization: 'Test', clock: systemClock }
    const identity = await openTokenIdentity(keys, place, names)
    const again = await openTokenIdentity(keys, place, names)
    expect(again.certificateDer).to.deep.equal(identity.certificateDer)
    expect(readdirSync(keys)).to.include('seal.crt.pem').and.not.to.include('seal.pem')
    const jws = createSealer(identity)('{"v":1}', 1_800_000_000)
    const { publicKey } = new X509Certificate(identity.certificateDer)
    folder.put('seal.jwk', JSON.stringify(publicKey.export({ format: 'jwk' })))
    const jose = (record: string) => {
      folder.put('record.jwt', record)
      const args = ['jws', 'ver', '-i', 'record.jwt', '-k', 'seal.jwk', '-O', '/dev/null']
      return runTool('jose', args, folder.path).ok
    }
    expect([jose(jws), jose(jws.replace('.', '.A'))]).to.deep.equal([true, false])
  })

  it('go on after the token has forgotten the session', async () => {
    const key = await openTokenKey(place)
    const { C_Finalize, C_Initialize } = dlopen(SOFTHSM, {
      C_Finalize: { return: 'uint64', arguments: ['pointer'] },
      C_Initialize: { return: 'uint64', arguments: ['pointer'] },
    }).functions
    expect([C_Finalize(0n), C_Initialize(0n)]).to.deep.equal([0n, 0n])
    expect(key.sign(Buffer.from('record'))).to.have.length(64)
  })

  // prettier-ignore
  const REFUSED: { name: string; change: () => Partial<TokenPlace>; want: string }[] = [
    { name: 'a wrong PIN',               change: () => ({ token: 'locked', pin: put('wrong', '000000') }), want: '`C_Login`: the PIN is wrong' },
    { name: 'no PIN file',               change: () => ({ pin: join(folder.path, 'gone') }),              want: 'the PIN cannot be read' },
    { name: 'a PIN that others can read', change: () => ({ pin: put('open', '271828', 0o644) }),          want: 'readable by others; run chmod 600' },
    { name: 'no such token',             change: () => ({ token: 'other' }),                              want: 'no token is labelled `other`' },
    { name: 'two tokens of one label',   change: () => ({ token: 'twice' }),                              want: 'more than one token is labelled `twice`' },
    { name: 'no such key',               change: () => ({ label: 'other' }),                              want: 'no private EC key labelled `other`' },
    { name: 'two keys of one label',     change: () => ({ label: 'pair' }),                               want: 'more than one private EC key labelled `pair`' },
    { name: 'a P-384 key',               change: () => ({ label: 'p384' }),                               want: 'key `p384` is not a P-256 key' },
    { name: 'a key that can be read out', change: () => ({ label: 'loose' }),                             want: 'key `loose` could leave the token' },
    { name: 'a library of another kind', change: () => ({ module: '/lib/x86_64-linux-gnu/libc.so.6' }),   want: 'is no PKCS#11 module' },
  ]
  const put = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder.path, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  for (const { name, change, want } of REFUSED) {
    it(`are refused: ${name}`, async () => {
      const error = await openTokenKey({ ...place, ...change() }).catch((cause: unknown) => cause)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'key-unusable')
      expect(String(error))
        .to.include(want)
        .and.not.match(/271828|000000/)
    })
  }

  it('serve a gateway, whose records verify and whose folder has no private seal key', async () => {
    const bank = await startBank()
    const installation = await createInstallation(bank.url)
    const { configFile } = installation
    const text = readFileSync(configFile, 'utf8')
    const { pin } = tokens
    writeFileSync(
      configFile,
      `${text}seal: { pkcs11: { module: ${SOFTHSM}, token: hsm, pin: ${pin}, label: seal } }\n`,
    )
    const gateway = await spawnGateway(configFile)
    try {
      const { headers } = await call(`${gateway.relayUrl}/harbour-bank/credit/applications`, {
        body: APPLICATION,
        headers: {
          authorization: `Bearer ${await installation.platform.jwt('harbour-bank')}`,
          'content-type': 'application/json',
        },
      })
      const rid = String(headers['evidence-id'])
      await findRecord(installation.config(), rid)
      const file = join(installation.folder, 'record.json')
      await runCommand(['evidence', 'export', rid, '--config', configFile, '--out', file])
      const trust = join(installation.folder, 'data/trust.json')
      const { code, stdout } = await runCommand(['verify', file, '--trust', trust])
      expect(code, stdout).to.equal(0)
      expect(existsSync(join(installation.folder, 'data/keys/seal.pem'))).to.equal(false)
    } finally {
      await gateway.kill('SIGTERM')
      installation.remove()
      await bank.close()
    }
  }).timeout(30_000)
})
