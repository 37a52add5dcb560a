import { expect } from 'chai'
import fc from 'fast-check'
import * as zlib from 'node:zlib'
import { Problem } from '../../../base/problem.ts'
import {
  acceptedCodings,
  type Coding,
  decodeStream,
  decodeWhole,
  encodeStream,
  encodeWhole,
  readCoding,
} from '../../../gateway/stream/coding.ts'

const LIMITS = { bytesMax: 50_000_000, ratioMax: 200 }
const CODINGS: readonly Coding[] = ['gzip', 'deflate', 'br', 'zstd']
/** Brotli has no checksum, and one-shot zstd writes none: damage may just decode to something else. */
const CHECKED = new Set<Coding>(['gzip', 'deflate'])
const TEXT = Buffer.from('{"loan":"L-1","amount":"1.10"}\n'.repeat(3000))

/** Another implementation's output: node's own one-shot functions. */
const ENCODE: Record<Coding, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
}
const DECODE: Record<Coding, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  deflate: (bytes) => zlib.inflateSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
}

async function* split(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function join(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const problemOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('content codings', () => {
  for (const coding of CODINGS) {
    it(`${coding}: goes there and back, however it is split`, async () => {
      const coded = await join(encodeStream(coding, split(TEXT, 1000)))
      expect(DECODE[coding](coded).equals(TEXT)).to.equal(true)
      for (const size of [1, 7, 1000, coded.length]) {
        const plain = await join(decodeStream(coding, split(coded, size), LIMITS))
        expect(plain.equals(TEXT), `${size}`).to.equal(true)
      }
      expect((await encodeWhole(coding, Buffer.alloc(0))).length).to.be.greaterThan(0)
    })

    it(`${coding}: refuses what is cut off, damaged, or followed by more`, async () => {
      const coded = ENCODE[coding](TEXT)
      const flipped = Buffer.from(coded)
      flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 0xff
      // prettier-ignore
      const bad: Record<string, Buffer> = {
        'cut off': coded.subarray(0, -1), 'half': coded.subarray(0, coded.length >> 1), 'nothing': Buffer.alloc(0),
        ...(CHECKED.has(coding) ? { damaged: flipped } : {}), 'zeros behind': Buffer.concat([coded, Buffer.alloc(4)]), 'text behind': Buffer.concat([coded, Buffer.from('more')]),
      }
      for (const [name, bytes] of Object.entries(bad)) {
        const error = await problemOf(join(decodeStream(coding, split(bytes, 100), LIMITS)))
        expect(error, name).to.be.instanceOf(Problem).with.property('slug', 'body-malformed')
        expect((error as Problem).message, name).to.match(/not valid|bytes follow/)
      }
    })

    it(`${coding}: stops a bomb early`, async () => {
      const bomb = ENCODE[coding](Buffer.alloc(100_000_000))
      let pulled = 0
      const source = async function* () {
        for await (const chunk of split(bomb, 64)) {
          pulled += chunk.length
          yield chunk
        }
      }
      const before = process.memoryUsage().rss
      const error = await problemOf(join(decodeStream(coding, source(), LIMITS)))
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'body-too-large')
      expect((error as Problem).message).to.match(/decodes to more than 200|longer than/)
      expect(pulled).to.be.at.most(bomb.length)
      expect(process.memoryUsage().rss - before).to.be.lessThan(60_000_000)
    })

    it(`${coding}: refuses what decodes to more than is allowed`, async () => {
      const coded = ENCODE[coding](TEXT)
      const limits = { bytesMax: TEXT.length - 1, ratioMax: 1e9 }
      const error = await problemOf(join(decodeStream(coding, split(coded, 100), limits)))
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'body-too-large')
      expect(await decodeWhole(coding, coded, limits)).to.equal(undefined)
      expect(await decodeWhole(coding, coded, LIMITS)).to.deep.equal(TEXT)
    })
  }

  it('gives the failure of the source as it is', async () => {
    const failure = new Problem('recipient-failed', 'gone')
    const source = async function* () {
      yield zlib.gzipSync(TEXT).subarray(0, 50)
      throw failure
    }
    expect(await problemOf(join(decodeStream('gzip', source(), LIMITS)))).to.equal(failure)
  })

  it('reads gzip in two members as one body', async () => {
    const twice = Buffer.concat([zlib.gzipSync('{"a":1}\n'), zlib.gzipSync('{"a":2}\n')])
    const plain = await join(decodeStream('gzip', split(twice, 5), LIMITS))
    expect(plain.toString()).to.equal('{"a":1}\n{"a":2}\n')
  })

  it('keeps any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.constantFrom(...CODINGS),
        async (array, coding) => {
          const bytes = Buffer.from(array)
          const back = await decodeWhole(coding, await encodeWhole(coding, bytes), LIMITS)
          expect(back?.equals(bytes)).to.equal(true)
        },
      ),
      { numRuns: 50 },
    )
  })

  // prettier-ignore
  const NAMES: { value: string | undefined; want: Coding | undefined | 'refused' }[] = [
    { value: undefined,        want: undefined },
    { value: 'identity',       want: undefined },
    { value: ' GZIP ',         want: 'gzip' },
    { value: 'x-gzip',         want: 'gzip' },
    { value: 'zstd',           want: 'zstd' },
    { value: 'compress',       want: 'refused' },
    { value: 'gzip, identity', want: 'refused' },
    { value: 'gzip, gzip',     want: 'refused' },
    { value: '',               want: 'refused' },
  ]
  for (const { value, want } of NAMES) {
    it(`reads \`${value}\``, () => {
      if (want !== 'refused') expect(readCoding(value)).to.equal(want)
      else
        expect(() => readCoding(value))
          .to.throw(Problem)
          .with.property('slug', 'media-type-unsupported')
    })
  }

  // prettier-ignore
  const ACCEPTED: { value: string | undefined; want: Coding[] }[] = [
    { value: undefined,                         want: [] },
    { value: 'gzip, deflate, br',               want: ['gzip', 'deflate', 'br'] },
    { value: 'br;q=1.0, gzip;q=0.5, *;q=0.1',   want: ['gzip', 'br'] },
    { value: 'gzip;q=0, zstd ; q=0.000, br',    want: ['br'] },
    { value: 'GZIP',                            want: ['gzip'] },
    { value: '*',                               want: [] },
  ]
  for (const { value, want } of ACCEPTED) {
    it(`takes from \`${value}\` what it knows`, () =>
      expect(acceptedCodings(value)).to.deep.equal(want))
  }
})
