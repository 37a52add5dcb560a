/** Published vectors of every algorithm behind tokens; the number of vectors run is asserted. */
import { expect } from 'chai'
import { hkdf } from '../../gateway/token/domain.ts'
import { createHmac, type HmacAlgorithm, tagBytes } from '../../base/hmac.ts'
import { createSiv } from '../../gateway/token/siv.ts'
import { hex, readWycheproof } from './wycheproof.ts'

describe('AES-SIV', () => {
  it('agrees with every wycheproof vector', () => {
    interface Vector {
      key: string
      aad: string
      msg: string
      ct: string
    }
    const file = readWycheproof<object, Vector>('aes_siv_cmac_test.json')
    let count = 0
    const other = Buffer.from('another message, of two blocks')
    for (const test of file.testGroups.flatMap(({ tests }) => tests)) {
      const siv = createSiv(hex(test.key), hex(test.aad))
      const opened = siv.open(hex(test.ct))
      if (test.result === 'valid') {
        expect(siv.seal(hex(test.msg)).toString('hex'), `${test.tcId}`).to.equal(test.ct)
        const all = siv.sealAll([other, hex(test.msg), hex(test.msg)]).toString('hex')
        expect(all, `${test.tcId}`).to.equal(siv.seal(other).toString('hex') + test.ct + test.ct)
        expect(opened?.toString('hex'), `${test.tcId}`).to.equal(test.msg)
      } else {
        expect(opened, `${test.tcId} ${test.comment}`).to.equal(undefined)
      }
      count++
    }
    expect(count).to.equal(file.numberOfTests).and.to.equal(442)
  })
})

describe('HMAC', () => {
  const files: [HmacAlgorithm, string][] = [
    ['sha256', 'hmac_sha256_test.json'],
    ['sm3', 'hmac_sm3_test.json'],
  ]
  for (const [algorithm, name] of files) {
    it(`${algorithm} agrees with every wycheproof vector`, () => {
      const file = readWycheproof<{ tagSize: number }, { key: string; msg: string; tag: string }>(
        name,
      )
      let count = 0
      for (const { tagSize, tests } of file.testGroups) {
        for (const { tcId, key, msg, tag, result } of tests) {
          const text = createHmac(algorithm, hex(key))(hex(msg), 'latin1')
          const made = tagBytes(text).subarray(0, tagSize / 8)
          expect(made.toString('hex') === tag, `${tcId}`).to.equal(result === 'valid')
          count++
        }
      }
      expect(count).to.equal(file.numberOfTests).and.to.equal(174)
    })
  }
})

describe('HKDF-SHA-256', () => {
  it('agrees with every wycheproof vector', () => {
    interface Vector {
      ikm: string
      salt: string
      info: string
      size: number
      okm: string
    }
    const file = readWycheproof<object, Vector>('hkdf_sha256_test.json')
    let count = 0
    for (const { tcId, ...test } of file.testGroups.flatMap(({ tests }) => tests)) {
      const derive = () => hkdf(hex(test.ikm), hex(test.salt), hex(test.info), test.size)
      // The invalid vectors ask for more than 255 blocks.
      if (test.result === 'valid') expect(derive().toString('hex'), `${tcId}`).to.equal(test.okm)
      else expect(derive, `${tcId}`).to.throw()
      count++
    }
    expect(count).to.equal(file.numberOfTests).and.to.equal(86)
  })
})
