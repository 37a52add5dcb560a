import { expect } from 'chai'
import fc from 'fast-check'
import { createContext } from '../../../gateway/stream/context.ts'
import { startWindows } from '../../../gateway/stream/window.ts'
import { readFormat } from '../../../gateway/transform/format.ts'

const TEXT = readFormat('text/plain', { format: 'text' })
const BODY = { columns: () => undefined, rowsBefore: () => 0 }
const JSON_FORMAT = readFormat('application/json')

describe('windows of the guard', () => {
  it('let all text out, once and in order, and never before it was seen with what follows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 9 }),
        (sizes, seed) => {
          const pieces = sizes.map((size, i) => Buffer.alloc(size, 97 + ((i + seed) % 26)))
          const seen: Buffer[] = []
          const windows = startWindows(TEXT, (bytes) => void seen.push(bytes), BODY)
          const out = pieces.map((piece) => windows.write(piece))
          const left = Buffer.concat(out).length
          const whole = Buffer.concat(pieces)
          expect(whole.length - left).to.be.at.most(4096)
          out.push(windows.end(Buffer.alloc(0)))
          expect(Buffer.concat(out).equals(whole)).to.equal(true)
          // Any 4,096 bytes in a row stand in one of the windows.
          for (const at of [0, whole.length >> 1, whole.length - 4096]) {
            const span = whole.subarray(Math.max(0, at), Math.max(0, at) + 4096)
            expect(span.length === 0 || seen.some((window) => window.includes(span))).to.equal(true)
          }
        },
      ),
    )
  })

  it('show a number that lies over a border whole', () => {
    const seen: string[] = []
    const windows = startWindows(TEXT, (bytes) => void seen.push(bytes.toString()), BODY)
    const text = `${'x'.repeat(6000)}13800138000${'y'.repeat(6000)}`
    let out = ''
    for (let at = 0; at < text.length; at += 3001) {
      out += windows.write(Buffer.from(text.slice(at, at + 3001))).toString()
    }
    out += windows.end(Buffer.alloc(0)).toString()
    expect(out).to.equal(text)
    expect(seen.some((window) => window.includes('13800138000'))).to.equal(true)
  })

  it('show JSON under the names that stand around it', () => {
    const seen: string[] = []
    const windows = startWindows(JSON_FORMAT, (bytes) => void seen.push(bytes.toString()), BODY) // prettier-ignore
    for (const part of ['{"a":{"mobiles":["1"', ',"2"', ',"3"]', ',"b":4}}']) {
      windows.write(Buffer.from(part))
    }
    expect(seen).to.deep.equal([
      '{"a":{"mobiles":["1"',
      '{"a":{"mobiles":[,"2"',
      '{"a":{"mobiles":[,"3"]',
      '{"a":{,"b":4}}',
    ])
  })

  it('say how many bytes stand before, wherever they show some again', () => {
    for (const format of [TEXT, JSON_FORMAT, readFormat('application/x-ndjson')]) {
      const text = '{"a":{"b":["13800138000",1,"x"]},"c":"yy"}\n'
      const seen: [number, string][] = []
      const windows = startWindows(
        format,
        (bytes, { before }) => void seen.push([before().bytes, bytes.toString()]),
        BODY,
      )
      for (const [from, to] of [[0, 24], [24, 31], [31, 42]]) windows.write(Buffer.from(text.slice(from, to))) // prettier-ignore
      windows.end(Buffer.from(text.slice(42)))
      // What a part shows of its own stands in the body where it says; what stands nowhere comes first.
      for (const [before, part] of seen) {
        const own = part.slice(part.length - Math.min(part.length, 7))
        expect(text.indexOf(own, before + part.length - own.length)).to.equal(before + part.length - own.length) // prettier-ignore
      }
      expect(seen).to.have.length(4)
    }
  })

  it('know what is open at any value of any document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = Buffer.from(JSON.stringify(value))
        const context = createContext()
        context.read(text)
        expect(context.opening().length).to.equal(0)
      }),
    )
  })
})
