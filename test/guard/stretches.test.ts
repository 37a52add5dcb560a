import { expect } from 'chai'
import { createCipheriv } from 'node:crypto'
import { carriedBy } from '../../gateway/guard/carriers.ts'
import { createDetect } from '../../gateway/guard/detect.ts'
import { createGuard } from '../../gateway/guard/guard.ts'
import { REFUSE_SCORE } from '../../gateway/guard/limits.ts'
import { eachText } from '../../gateway/guard/stretches.ts'
import { startWindows } from '../../gateway/stream/window.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { createCorpus } from '../fixtures/people/corpus.ts'
import { loadDictionary } from './dictionary.ts'

const BODY = { columns: () => undefined, rowsBefore: () => 0 }
const kinds = loadDictionary()
const detect = createDetect(kinds)

/** Bytes as a photo has them: all values alike, the same in each run. */
function noise(length: number, seed: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return cipher.update(Buffer.alloc(length))
}

function textsOf(bytes: Buffer): string[] {
  const texts: string[] = []
  eachText(bytes, (text) => texts.push(text))
  return texts
}

function leaksIn(text: string): string[] {
  const found = [text, ...carriedBy(text).map((inner) => inner.text)].flatMap((each) => detect(each)) // prettier-ignore
  return found
    .filter(({ kind, score }) => score >= REFUSE_SCORE && kinds.get(kind)?.guard === 'refuse')
    .map(({ kind }) => kind)
}

describe('what can be read in bytes that are no text', () => {
  const texts = [
    '借款人张三',
    'a',
    '',
    '\0\0',
    '138\u200b0013\u200b8000',
    '１３８００１３８０００ é',
  ]
  for (const text of texts) {
    it(`is all of ${JSON.stringify(text)}, which is text`, () =>
      expect(textsOf(Buffer.from(text))).to.deep.equal([text]))
  }

  it('is all of a part of a text that begins and ends inside a character', () => {
    const bytes = Buffer.from('借款人，１３８00138000，张三 é 𠮷')
    for (let start = 0; start < 3; start++) {
      for (let end = bytes.length - 3; end <= bytes.length; end++)
        expect(textsOf(bytes.subarray(start, end))).to.deep.equal([
          bytes.toString('utf8', start, end),
        ])
    }
  })

  it('is what the detectors find in all of it, wherever noise stands around it', () => {
    const missed: string[] = []
    let found = 0
    for (const [index, { text }] of createCorpus(7, 20).entries()) {
      const before = noise(index % 200, index & 255)
      const after = noise(index % 170, ~index & 255)
      const bytes = Buffer.concat([Buffer.of(0xff), before, Buffer.from(`\0${text}\0`), after])
      const kindsOf = textsOf(bytes).flatMap(leaksIn)
      for (const kind of leaksIn(bytes.toString())) {
        found++
        if (!kindsOf.includes(kind)) missed.push(`${kind} in ${text}`)
      }
    }
    expect(found).to.be.above(500)
    expect(missed).to.deep.equal([])
  })

  it('is next to nothing of noise, which is nobody', () => {
    const bytes = noise(8 * 1024 * 1024, 3)
    const shown = textsOf(bytes).reduce((sum, text) => sum + text.length, 0)
    expect(shown / bytes.length).to.be.below(0.05)
    const message = { headers: [], query: '', path: '/', body: bytes, allowed: new Map() }
    createGuard(kinds).inspect({ ...message, mediaType: 'application/octet-stream' })
  })

  it('is a number in a photo that comes in parts, wherever they part', () => {
    const mediaType = 'multipart/form-data; boundary=x'
    const guard = createGuard(kinds)
    const message = { headers: [], query: '', path: '/', allowed: new Map(), mediaType }
    const head = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
    const send = (text: string, size: number) => {
      const content = [noise(20_000, 1), Buffer.from(text), noise(20_000, 2)]
      const body = Buffer.concat([Buffer.from(head), ...content, Buffer.from('\r\n--x--\r\n')])
      const windows = startWindows(
        readFormat(mediaType),
        (bytes) => void guard.inspect({ ...message, body: bytes }),
        BODY,
      )
      for (let at = 0; at < body.length; at += size) windows.write(body.subarray(at, at + size))
      windows.end(Buffer.alloc(0))
    }
    for (let size = 3000; size < 3100; size++) {
      expect(() => send('\0\u000b13800138000\0', size), `parts of ${size}`).to.throw('mobile')
      send('\0\u000b13800138\0', size)
    }
  })
})
