import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../../base/problem.ts'
import { decodeRecords, startEncoder } from '../../../evidence/custody/coding.ts'

const SECRET = Buffer.alloc(32, 7)
const from = (text: string) => Buffer.from(text, 'base64url')

async function* cutInto(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** @returns all that came, with the slug and detail of what ended it. */
async function decode(bytes: Buffer, secret: Buffer = SECRET, size = 7): Promise<string> {
  let text = ''
  try {
    for await (const part of decodeRecords(cutInto(bytes, size), secret)) text += part.toString('latin1') // prettier-ignore
  } catch (error) {
    if (error instanceof Problem) return `${text}|${error.slug}: ${error.message}`
    throw error
  }
  return text
}

function encode(text: string, recordBytes = 24, secret = SECRET): Buffer {
  const encoder = startEncoder(secret, Buffer.alloc(16, 1), recordBytes)
  return Buffer.concat([encoder.write(Buffer.from(text, 'latin1')), encoder.end()])
}

describe('aes128gcm', () => {
  it('writes RFC 8188 §3.1', () => {
    const encoder = startEncoder(from('yqdlZ-tYemfogSmv7Ws5PQ'), from('I1BsxtFttlv3u_Oo94xnmw'), 4096) // prettier-ignore
    const written = Buffer.concat([encoder.write(Buffer.from('I am the walrus')), encoder.end()])
    expect(written.toString('base64url')).to.equal(
      'I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg',
    )
  })

  it('reads RFC 8188 §3.2, which has a key name, padding and two records', async () => {
    const body = from(
      'uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA',
    )
    expect(await decode(body, from('BO3ZVPxUlnLORbVGMpbT1Q'))).to.equal('I am the walrus')
  })

  it('gives back any body in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
        fc.integer({ min: 18, max: 60 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, recordBytes, size) => {
          const encoder = startEncoder(SECRET, undefined, recordBytes)
          const coded = Buffer.concat([...parts.map((part) => encoder.write(part)), encoder.end()])
          const whole = Buffer.concat(parts)
          expect(await decode(coded, SECRET, size)).to.equal(whole.toString('latin1'))
          // Every record but the last is full (RFC 8188 §2).
          const records = Math.max(1, Math.ceil(whole.length / (recordBytes - 17)))
          expect(coded.length).to.equal(21 + whole.length + 17 * records)
        },
      ),
    )
  })

  // Seven characters in each record but the last.
  const CODED = encode('0123456ABCDEFGabc')
  const flipped = (at: number) => {
    const copy = Buffer.from(CODED)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const swapped = Buffer.concat([CODED.subarray(0, 21), CODED.subarray(45, 69), CODED.subarray(21, 45), CODED.subarray(69)]) // prettier-ignore
  const KEY = 'key-unusable: the key does not open the file, or its bytes were changed'
  const BREAKS = 'body-malformed: the file breaks off'
  // prettier-ignore
  const CASES: readonly [name: string, bytes: Buffer, want: string, secret?: Buffer][] = [
    ['a whole body',              CODED,                       '0123456ABCDEFGabc'],
    ['an empty body',             encode(''),                  ''],
    ['nothing',                   Buffer.alloc(0),             `|${BREAKS}`],
    ['half a head',               CODED.subarray(0, 20),       `|${BREAKS}`],
    ['a head alone',              CODED.subarray(0, 21),       `|${BREAKS}`],
    ['one whole record of three', CODED.subarray(0, 45),       `0123456|${BREAKS}`],
    ['a record that is cut off',  CODED.subarray(0, 60),       `0123456|${BREAKS}`],
    ['a last one that is cut off', CODED.subarray(0, -1),      `0123456ABCDEFG|${BREAKS}`],
    ['another secret',            CODED,                       `|${KEY}`, Buffer.alloc(32, 8)],
    ['another salt',              flipped(0),                  `|${KEY}`],
    ['a flipped bit',             flipped(30),                 `|${KEY}`],
    ['a flipped bit further on',  flipped(50),                 `0123456|${KEY}`],
    ['records in another order',  swapped,                     `|${KEY}`],
    ['bytes behind the end',      Buffer.concat([encode('abc'), Buffer.alloc(24)]), `|${KEY}`],
    ['a second body behind it',   Buffer.concat([encode('0123456'), encode('0123456').subarray(21)]), '|body-malformed: bytes follow the end of the file'],
    ['tiny records',              Buffer.concat([CODED.subarray(0, 16), Buffer.from([0, 0, 0, 17, 0]), CODED.subarray(21)]), '|body-malformed: expected records of at most 1048576 bytes'],
    ['records of 16 MiB',         Buffer.concat([CODED.subarray(0, 16), Buffer.from([1, 0, 0, 0, 0]), CODED.subarray(21)]), '|body-malformed: expected records of at most 1048576 bytes'],
  ]
  for (const [name, bytes, want, secret] of CASES) {
    it(`reads ${name}`, async () => {
      for (const size of [1, 5, 1000]) expect(await decode(bytes, secret, size)).to.equal(want)
    })
  }
})
