import { expect } from 'chai'
import fc from 'fast-check'
import { advance, DEPTH_MAX, type JsonSink, startScan } from '../../base/json-scan.ts'
import { Problem } from '../../base/problem.ts'
import { parseStrictJson } from '../../base/strict-json.ts'

function problemOf(bytes: Uint8Array): string {
  try {
    parseStrictJson(bytes)
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('parseStrictJson', () => {
  const ACCEPTED = [
    ...[
      'null',
      'true',
      'false',
      '0',
      '-0',
      '1.5e-7',
      '1E+2',
      '0.0',
      '-123456789012345678901',
      '""',
      '[]',
      '{}',
    ],
    ...[
      ' [ ] ',
      '\t\r\n{ }\n',
      '[[],{}]',
      '[1 , 2]',
      '{"a":1,"b":{"a":1}}',
      '{"":0}',
      '{"a":1,"A":2}',
    ],
    ...[
      '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"',
      '"\\ud83d\\ude00"',
      '"\u007f\u0080\u2028😀"',
      '"\\uFFFF"',
    ],
    ...['{"__proto__":1}', '{"constructor":{}}', '{"\\u0061":1,"b":2}', '"\ufeff"'],
    `{${Array.from({ length: 40 }, (_, i) => `"k${i}":${i}`).join()}}`,
    '['.repeat(DEPTH_MAX) + ']'.repeat(DEPTH_MAX),
  ]
  it('reads what JSON.parse reads, when it has one reading', () => {
    for (const text of ACCEPTED) {
      expect(parseStrictJson(Buffer.from(text)), text).to.deep.equal(JSON.parse(text))
    }
  })

  const surrogate = 'a high surrogate stands alone'
  const twice = 'the object has this name twice'
  const number = 'a number is not in the form of RFC 8259'
  // prettier-ignore
  const REFUSED: readonly [body: string | number[], at: number, reason: string][] = [
    ['', 0, 'the document ends early'],
    ['  ', 2, 'the document ends early'],
    ['[', 1, 'the document ends early'],
    ['{"a"', 4, 'the document ends early'],
    ['{"a":', 5, 'the document ends early'],
    ['"abc', 4, 'the document ends early'],
    ['"abc\\', 5, 'the document ends early'],
    ['"\\u00', 5, 'the document ends early'],
    ['tru', 3, 'the document ends early'],
    ['[1,', 3, 'the document ends early'],
    ['[1,]', 3, 'expected a value'],
    ['[,1]', 1, 'expected a value'],
    ['[1 2]', 3, 'expected a comma or the end of the container'],
    ['[1}', 2, 'expected a comma or the end of the container'],
    ['{"a":1]', 6, 'expected a comma or the end of the container'],
    ['{"a":1,}', 7, 'expected a name in quotes'],
    ['{a:1}', 1, 'expected a name in quotes'],
    ["{'a':1}", 1, 'expected a name in quotes'],
    ['{1:1}', 1, 'expected a name in quotes'],
    ['{"a" 1}', 5, 'expected a colon'],
    ['{"a"::1}', 5, 'expected a value'],
    ['{"a":}', 5, 'expected a value'],
    ['1 2', 2, 'expected nothing after the document'],
    ['{}{}', 2, 'expected nothing after the document'],
    ['[]\0', 2, 'expected nothing after the document'],
    ['{"a":1,"a":2}', 8, twice],
    ['{"a":1,"\\u0061":2}', 8, twice],
    ['{"\\ud83d\\ude00":1,"😀":2}', 19, twice],
    [`{${Array.from({ length: 40 }, (_, i) => `"k${i % 39}":0`).join()}}`, 304, twice],
    ['[{"a":{"b":1,"b":2}}]', 14, twice],
    ['01', 0, number], ['-', 0, number], ['-01', 0, number], ['1.', 0, number], ['1.e5', 0, number],
    ['1e', 0, number], ['1e+', 0, number], ['[1.2.3]', 4, 'expected a comma or the end of the container'],
    ['.5', 0, 'expected a value'], ['+1', 0, 'expected a value'], ['NaN', 0, 'expected a value'],
    ['nulL', 0, 'expected a value'], ['Infinity', 0, 'expected a value'], ['1a', 1, 'expected nothing after the document'],
    ['"\\x41"', 1, 'unknown escape'], ['"\\u12g4"', 1, 'expected four hexadecimal digits'], ['"\\U0041"', 1, 'unknown escape'],
    ['"\t"', 1, 'a control character must be escaped'], ['"a\nb"', 2, 'a control character must be escaped'],
    ['{"\u0001":1}', 2, 'a control character must be escaped'],
    ['"\\ud800"', 1, surrogate], ['"\\ud800x"', 1, surrogate], ['"\\ud800\\n123"', 1, surrogate], ['"\\ud800\\ud800"', 1, surrogate],
    ['"\\udc00"', 1, 'a low surrogate stands alone'], ['{"\\udc00":1}', 2, 'a low surrogate stands alone'],
    ['\ufeff{}', 0, 'expected a value'], ['/**/1', 0, 'expected a value'], ['[1]//', 3, 'expected nothing after the document'],
    ['\u00a0 1', 0, 'expected a value'], ['\f1', 0, 'expected a value'],
    [[0x22, 0xff, 0x22], 1, 'expected UTF-8'],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 1, 'expected UTF-8'],
    [[0x22, 0xc0, 0x80, 0x22], 1, 'expected UTF-8'],
    [[0x22, 0xe4, 0xb8, 0x22], 1, 'expected UTF-8'],
    [[0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00], 0, 'expected UTF-8'],
    [[0x7b, 0x00, 0x7d, 0x00], 1, 'expected a name in quotes'],
  ]
  for (const [body, at, reason] of REFUSED) {
    const bytes = Buffer.from(body as string)
    it(`refuses ${JSON.stringify(bytes.toString('latin1')).slice(0, 40)}`, () => {
      expect(problemOf(bytes)).to.equal(`body-malformed: at byte ${at}: ${reason}`)
    })
  }

  it('refuses deeper nesting than its limit', () => {
    const body = '['.repeat(DEPTH_MAX + 1) + ']'.repeat(DEPTH_MAX + 1)
    expect(problemOf(Buffer.from(body))).to.equal(
      `body-too-large: nesting is deeper than ${DEPTH_MAX} at byte ${DEPTH_MAX}`,
    )
  })
})

interface Names {
  readonly members: readonly (readonly [name: string, inside: Names | undefined])[]
}

/** Few names, some of them spelled with escapes, and often more than are compared in place. */
const { names: NAMES } = fc.letrec<{ names: Names }>((tie) => ({
  names: fc.record({
    members: fc.array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom('a', 'b', '\\u0061', 'é', '\\u00e9', ''),
          fc.integer({ min: 0, max: 400 }).map((number) => `k${number}`),
        ),
        fc.oneof(
          { weight: 4, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: tie('names') },
        ),
      ),
      { maxLength: 30 },
    ),
  }),
}))

const write = ({ members }: Names): string =>
  `{${members.map(([name, inside]) => `"${name}": ${inside ? write(inside) : '1'}`).join(' ,')}}`

const repeats = ({ members }: Names): boolean =>
  new Set(members.map(([name]) => JSON.parse(`"${name}"`) as string)).size < members.length ||
  members.some(([, inside]) => inside !== undefined && repeats(inside))

/** Writes down every event; containers of arrays are none here. */
function eventsOf(text: string, cuts: readonly number[], isSilent: boolean): string {
  const bytes = Buffer.from(text)
  const events: string[] = []
  const sink: JsonSink = {
    member: (lead, hash, start, end, name) =>
      events.push(`${lead} ${hash} ${start} ${end} ${name}`),
    element: (lead) => events.push(`${lead}`),
    scalar: (type, start, end) => events.push(`${type} ${start} ${end}`),
    open: (_, start) => events.push(`{ ${start}`) === 1 || !isSilent,
    close: (end) => events.push(`} ${end}`),
  }
  const scan = startScan(sink, cuts.length > 0)
  let at = 0
  try {
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      at = advance(scan, bytes, false, at, Math.max(at, Math.min(cut, bytes.length)))
    }
    advance(scan, bytes, true, at)
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
  return events.join()
}

describe('advance', () => {
  it('finds each name that is repeated, however objects nest, and wherever the chunks end', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(NAMES, cuts, fc.boolean(), (names, places, isSilent) => {
        const text = write(names)
        const whole = eventsOf(text, [], isSilent)
        expect(/twice/.test(whole)).to.equal(repeats(names))
        expect(eventsOf(text, places, isSilent)).to.equal(whole)
      }),
      { numRuns: 500 },
    )
  })
})
