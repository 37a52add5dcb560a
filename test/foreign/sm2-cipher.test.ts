import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sm2Decrypt, sm2Encrypt } from '../../evidence/gm/sm2-cipher.ts'
import { generateSm2Key, sm2Signer } from '../../evidence/gm/sm2.ts'
import { toPem } from '../../evidence/pem.ts'
import { BOUNCY_CASTLE_PROBE, runJava } from './bouncycastle.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const TEXT = 'a content key 32'
const key = generateSm2Key()
const { spki } = sm2Signer(key)

describeForeign('openssl on SM2 encryption', ['openssl', 'version'], () => {
  const folder = makeFolder({
    key: toPem('PRIVATE KEY', key),
    public: toPem('PUBLIC KEY', spki),
    text: TEXT,
  })
  after(() => folder.remove())
  const pkeyutl = (...args: string[]) => runTool('openssl', ['pkeyutl', ...args], folder.path)

  it('opens ours', () => {
    folder.put('cipher', sm2Encrypt(spki, Buffer.from(TEXT), 'der'))
    const { ok, text } = pkeyutl('-decrypt', '-inkey', 'key', '-in', 'cipher')
    expect(ok, text).to.equal(true)
    expect(text).to.equal(TEXT)
  })

  it('makes what ours opens', () => {
    const made = pkeyutl('-encrypt', '-pubin', '-inkey', 'public', '-in', 'text', '-out', 'theirs')
    expect(made.ok, made.text).to.equal(true)
    const theirs = readFileSync(join(folder.path, 'theirs'))
    expect(sm2Decrypt(key, theirs, 'der').toString()).to.equal(TEXT)
  })
})

describeForeign('BouncyCastle on SM2 encryption', BOUNCY_CASTLE_PROBE, () => {
  const folder = makeFolder({ key, public: spki })
  after(() => folder.remove())

  for (const form of ['c1c3c2', 'c1c2c3'] as const) {
    it(`opens ours and makes what ours opens, ${form}`, () => {
      folder.put('cipher', sm2Encrypt(spki, Buffer.from(TEXT), form))
      const args = [form.toUpperCase(), 'key', 'public', 'cipher', 'theirs']
      const { ok, text } = runJava('Sm2Cipher', args, folder.path)
      expect(ok, text).to.equal(true)
      expect(text).to.equal(TEXT)
      const theirs = readFileSync(join(folder.path, 'theirs'))
      expect(sm2Decrypt(key, theirs, form).toString()).to.equal(TEXT)
    }).timeout(60_000)
  }
})
