import { expect } from 'chai'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { formatPath, parsePath } from '../../../gateway/policy/path.ts'
import type { Path, Segment } from '../../../gateway/policy/policy.ts'
import { evaluatePath } from '../../reference/jsonpath.ts'

interface Case {
  readonly name: string
  readonly selector: string
  readonly document?: unknown
  readonly result?: unknown
  readonly results?: readonly unknown[]
  readonly invalid_selector?: true
}
const SUITE = JSON.parse(readFileSync('test/vectors/jsonpath/cts.json', 'utf8')) as {
  tests: Case[]
}

/** What RFC 9535 allows and the policy language does not; told by the suite's names and selectors. */
const BEYOND = /[?:,]|\[\s*-\d/

// prettier-ignore
const REFUSED: { text: string; offset: number; message: RegExp }[] = [
  { text: 'a',             offset: 0, message: /starts with `\$`/ },
  { text: '$.',            offset: 2, message: /name must follow/ },
  { text: '$.a.',          offset: 4, message: /name must follow/ },
  { text: '$.1a',          offset: 2, message: /name must follow/ },
  { text: '$. a',          offset: 2, message: /name must follow/ },
  { text: '$..',           offset: 3, message: /name must follow/ },
  { text: '$...a',         offset: 3, message: /name must follow/ },
  { text: '$a',            offset: 1, message: /cannot stand here/ },
  { text: '$.a b',         offset: 4, message: /cannot stand here/ },
  { text: '$.a ',          offset: 3, message: /does not end in a blank/ },
  { text: '$[?@.a]',       offset: 2, message: /filters/ },
  { text: '$.a[1:2]',      offset: 4, message: /slices/ },
  { text: '$[::2]',        offset: 2, message: /slices/ },
  { text: '$[-1]',         offset: 2, message: /index from the end/ },
  { text: '$[0,1]',        offset: 2, message: /several selectors/ },
  { text: "$['a','b']",    offset: 2, message: /several selectors/ },
  { text: '$[01]',         offset: 2, message: /must stand in the brackets/ },
  { text: '$[-0]',         offset: 2, message: /must stand in the brackets/ },
  { text: '$[99999999999999999]', offset: 2, message: /must stand in the brackets/ },
  { text: '$[]',           offset: 2, message: /must stand in the brackets/ },
  { text: '$[a]',          offset: 2, message: /must stand in the brackets/ },
  { text: "$['a'",         offset: 5, message: /not closed/ },
  { text: "$['a",          offset: 2, message: /does not end/ },
  { text: "$['\\x']",      offset: 3, message: /not an escape/ },
  { text: "$['\\\"']",     offset: 3, message: /not an escape/ },
  { text: "$['\\ud800']",  offset: 3, message: /half a surrogate/ },
  { text: "$['\\u12']",    offset: 3, message: /four hexadecimal/ },
  { text: "$['中\n']",     offset: 4, message: /control character/ },
]

const name = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())
const child: fc.Arbitrary<Segment> = fc.oneof(
  fc.record({ step: fc.constant('name' as const), name }),
  fc.record({ step: fc.constant('index' as const), index: fc.nat() }),
  fc.constant<Segment>({ step: 'wildcard' }),
)
const segment = fc.oneof(child, fc.record({ step: fc.constant('descendant' as const), of: child }))
const path: fc.Arbitrary<Path> = fc.array(segment, { maxLength: 6 })

describe('parsePath', () => {
  for (const { text, offset, message } of REFUSED) {
    it(`refuses ${JSON.stringify(text)} at ${offset}`, () => {
      const fault = parsePath(text)
      if (!('message' in fault)) throw new Error('accepted')
      expect(fault.message).to.match(message)
      expect(fault.offset).to.equal(offset)
      expect(fault.help).to.not.equal('')
    })
  }

  it('reads back what formatPath writes', () => {
    fc.assert(
      fc.property(path, (want) => {
        expect(parsePath(formatPath(want))).to.deep.equal({ path: want })
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parsePath(`$${text}`)))
  })
})

describe('RFC 9535 compliance suite', () => {
  it('reads only what it evaluates right, and refuses all that is invalid', () => {
    let evaluated = 0
    for (const {
      name: title,
      selector,
      document,
      result,
      results,
      invalid_selector,
    } of SUITE.tests) {
      const parsed = parsePath(selector)
      if (invalid_selector) expect(parsed, title).to.have.property('message')
      if ('message' in parsed) continue
      evaluated++
      expect(results ?? [result], title).to.deep.include(evaluatePath(parsed.path, document))
      // What we print means what we read.
      expect(parsePath(formatPath(parsed.path)), title).to.deep.equal(parsed)
    }
    expect(evaluated).to.be.greaterThan(0)
  })

  it('refuses a valid selector only for what the language leaves out', () => {
    for (const { name: title, selector, invalid_selector } of SUITE.tests) {
      const parsed = parsePath(selector)
      if (invalid_selector || 'path' in parsed) continue
      expect(selector, `${title}: ${parsed.message}`).to.match(BEYOND)
      expect(parsed.message, title).to.match(/not part of the policy language/)
    }
  })
})
