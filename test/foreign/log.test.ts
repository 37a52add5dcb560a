import { expect } from 'chai'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cosign } from '../../evidence/log/checkpoint.ts'
import { ED25519_COSIGNATURE, makeSigner } from '../../evidence/log/note.ts'
import { type Evidence, makeEvidence } from '../log/evidence.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const PYTHON = '/usr/bin/python3'
const JWCRYPTO = `
from jwcrypto import jws, jwk
token = jws.JWS()
token.deserialize(open('record.jwt').read())
token.verify(jwk.JWK.from_pem(open('seal.pem', 'rb').read()))
`

describe('log and records, by foreign tools', () => {
  const folder = makeFolder()
  const run = (command: string, ...args: string[]) => runTool(command, args, folder.path)
  let evidence: Evidence
  before(async () => {
    evidence = await makeEvidence(folder.path)
    await evidence.ports.index.close()
    const { publicKey } = new X509Certificate(
      Buffer.from(evidence.exported.certificates[0] ?? '', 'base64'),
    )
    folder.put('seal.jwk', JSON.stringify(publicKey.export({ format: 'jwk' })))
    folder.put('seal.pem', publicKey.export({ format: 'pem', type: 'spki' }))
    folder.put('record.jwt', evidence.exported.record)
  })
  after(() => folder.remove())

  const withOtherRecord = (work: () => void): void => {
    const { record } = evidence.exported
    folder.put('record.jwt', record.replace('.', '.A'))
    work()
    folder.put('record.jwt', record)
  }

  describeForeign('jose (latchset)', ['jose', 'alg'], () => {
    it('verifies a record, and no changed one', () => {
      const args = ['jws', 'ver', '-i', 'record.jwt', '-k', 'seal.jwk', '-O', '/dev/null']
      expect(run('jose', ...args)).to.deep.equal({ ok: true, text: '' })
      withOtherRecord(() => expect(run('jose', ...args).ok).to.equal(false))
    })
  })

  describeForeign('python3-jwcrypto', [PYTHON, '-c', 'import jwcrypto'], () => {
    it('verifies a record, and no changed one', () => {
      expect(run(PYTHON, '-c', JWCRYPTO)).to.deep.equal({ ok: true, text: '' })
      withOtherRecord(() => expect(run(PYTHON, '-c', JWCRYPTO).ok).to.equal(false))
    })
  })

  describeForeign('openssl pkeyutl', ['openssl', 'version'], () => {
    it('verifies the checkpoint, and no changed one', () => {
      folder.put('vkey', evidence.view.logKeys[0]?.text ?? '')
      const script = `set -e
        head -3 log/2026h2/checkpoint >m
        sed -n 5p log/2026h2/checkpoint | awk '{print $3}' | base64 -d | tail -c64 >s
        (printf 302a300506032b6570032100 | xxd -r -p; cut -d+ -f3- vkey | base64 -d | tail -c32) |
          openssl pkey -pubin -inform DER -out k
        openssl pkeyutl -verify -pubin -inkey k -rawin -in m -sigfile s`
      expect(run('sh', '-c', script).text).to.include('Signature Verified Successfully')
      const changed = script.replace('>m', "| sed 's/^304$/305/' >m")
      expect(run('sh', '-c', changed).ok).to.equal(false)
    })
  })

  describeForeign('openssl pkeyutl, witness', ['openssl', 'version'], () => {
    it('verifies an Ed25519 cosignature over the text that the specification says', () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519')
      const witness = makeSigner('bank.test/w', ED25519_COSIGNATURE, privateKey)
      const { checkpoint } = evidence.view.reader
      folder.put('line', cosign(witness, checkpoint, checkpoint.note.text, 1_800_000_000))
      folder.put('w.pem', publicKey.export({ format: 'pem', type: 'spki' }))
      const script = `set -e
        (printf 'cosignature/v1\\ntime 1800000000\\n'; head -3 log/2026h2/checkpoint) >wm
        awk '{print $3}' line | base64 -d | tail -c64 >ws
        openssl pkeyutl -verify -pubin -inkey w.pem -rawin -in wm -sigfile ws`
      expect(run('sh', '-c', script).text).to.include('Signature Verified Successfully')
      expect(run('sh', '-c', script.replace('1800000000', '1800000001')).ok).to.equal(false)
    })
  })

  describeForeign('Go x/mod', ['ls', '/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'], () => {
    it('verifies note, tiles, entries, inclusion and consistency, and no changed tile', async function () {
      this.timeout(60_000)
      const { reader } = evidence.view
      const source = join(import.meta.dirname, 'gover/main.go')
      const build = `GOFLAGS= GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$PWD/cache" go build -o gover ${source}`
      expect(run('sh', '-c', build)).to.deep.equal({ ok: true, text: '' })
      folder.put('proof', evidence.exported.proof)
      const consistency = await reader.consistency(100)
      const args = [
        ...['log/2026h2', evidence.view.logKeys[0]?.text ?? '', 'proof', '100'],
        ...[await reader.root(100), ...consistency].map((hash) => hash.toString('base64')),
      ]
      expect(run('./gover', ...args)).to.deep.equal({ ok: true, text: 'ok 304\n' })
      const tile = join(folder.path, 'log/2026h2/tile/0/000')
      const bytes = readFileSync(tile)
      writeFileSync(tile, bytes.with(77, bytes.readUInt8(77) ^ 1))
      expect(run('./gover', ...args).ok).to.equal(false)
      writeFileSync(tile, bytes)
      expect(run('./gover', ...args.with(3, '101')).ok).to.equal(false)
    })
  })
})
