import { expect } from 'chai'
import fc from 'fast-check'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { parseYaml, toJsonText } from '../../base/yaml.ts'

function read(text: string) {
  const report = createReport()
  const node = parseYaml(report, 'f.yaml', text)
  return {
    node,
    errors: report.diagnostics.map(({ at, message }) => `${at.line}:${at.column} ${message}`),
  }
}

// prettier-ignore
const ACCEPTED: { name: string; text: string; json: string }[] = [
  { name: 'number spelling',        text: 'a: 1.10\nb: 1e3\nc: -0.5\n',        json: '{"a":1.10,"b":1e3,"c":-0.5}' },
  { name: 'no, on and dates',       text: 'a: no\nb: on\nc: 2026-01-01\n',     json: '{"a":"no","b":"on","c":"2026-01-01"}' },
  { name: 'true, null and nothing', text: 'a: true\nb: null\nc: ~\nd:\n',      json: '{"a":true,"b":null,"c":null,"d":null}' },
  { name: 'quoted long number',     text: 'a: "110101199003071234"\n',         json: '{"a":"110101199003071234"}' },
  { name: 'flow and block',         text: 'a: [ 1, { b: x } ]\nc:\n  - y\n',   json: '{"a":[1,{"b":"x"}],"c":["y"]}' },
  { name: 'literal block',          text: 'a: |\n  {"b": 1}\n',                json: '{"a":"{\\"b\\": 1}\\n"}' },
  { name: 'exclamation mark',       text: 'a: "!!x"\nb: y !z\n',               json: '{"a":"!!x","b":"y !z"}' },
  { name: 'signs inside text',      text: 'a: x !y &z *w\nb: |\n  !x &y *z\n  %d\n', json: '{"a":"x !y &z *w","b":"!x &y *z\\n%d\\n"}' },
  { name: 'key order',              text: 'b: 1\na: 2\n"__proto__": 3\n',      json: '{"b":1,"a":2,"__proto__":3}' },
  { name: 'largest safe integer',   text: 'a: 9007199254740991\n',             json: '{"a":9007199254740991}' },
]

// prettier-ignore
const REFUSED: { name: string; text: string; want: string }[] = [
  { name: 'duplicate key',     text: 'a: 1\nb: 2\na: 3\n',       want: '3:1 the same key stands twice in one map' },
  { name: 'anchor',            text: 'a: &x 1\n',                want: '1:4 anchors (`&…`) are not allowed' },
  { name: 'alias',             text: 'a: &x 1\nb: *x\n',         want: '2:4 aliases (`*…`) are not allowed' },
  { name: 'known tag',         text: 'a: !!str 1\n',             want: '1:4 tags (`!…`) are not allowed' },
  { name: 'tag in a flow map', text: '{ a: !!int "1" }\n',       want: '1:6 tags (`!…`) are not allowed' },
  { name: 'tag on a map',      text: 'a: !!map { b: 1 }\n',      want: '1:4 tags (`!…`) are not allowed' },
  { name: 'own tag',           text: 'a: !x 1\n',                want: '1:4 tags (`!…`) are not allowed' },
  { name: 'non-specific tag',  text: 'a: ! 12\n',                want: '1:4 tags (`!…`) are not allowed' },
  { name: 'tag before a comment', text: 'a: !!str # c\n  1\n',  want: '1:4 tags (`!…`) are not allowed' },
  { name: 'byte order mark',   text: '\ufeffa: 1\n',             want: '1:1 an invisible character (U+FEFF) stands here' },
  { name: 'turned text',       text: 'a: x\u202ey\n',            want: '1:5 an invisible character (U+202E) stands here' },
  { name: 'a name with a joint of no width', text: 'na\u200bme: 1\n', want: '1:3 an invisible character (U+200B) stands here' },
  { name: 'merge key',         text: 'a:\n  <<: { b: 1 }\n',     want: '2:3 merge keys (`<<`) are not allowed' },
  { name: 'second document',   text: 'a: 1\n---\nb: 2\n',        want: '2:1 a second document starts here' },
  { name: 'directive',         text: '%YAML 1.1\n---\na: no\n',  want: '1:1 directives (`%…`) are not allowed' },
  { name: 'large integer',     text: 'a: 9007199254740993\n',    want: '1:4 a bare integer this large loses digits in other programs' },
  { name: 'octal',             text: 'a: 0o17\n',                want: '1:4 `0o17` is not a number as JSON writes it' },
  { name: 'leading zero',      text: 'a: 0755\n',                want: '1:4 `0755` is not a number as JSON writes it' },
  { name: 'not a number',      text: 'a: .nan\n',                want: '1:4 `.nan` is not a number as JSON writes it' },
  { name: 'number key',        text: '1: x\n',                   want: '1:1 a key must be text' },
  { name: 'map as key',        text: '? { a: 1 }\n: b\n',        want: '1:3 a key must be text' },
  { name: 'lone surrogate',    text: 'a: "\\ud800"\n',           want: '1:4 the text holds half a surrogate pair' },
  { name: 'tab',               text: '\ta: 1\n',                 want: '1:1 a tab is used to indent' },
  { name: 'a brace in plain text', text: '{ a: /x/{b} }\nc: 1\n', want: '1:9 the text cannot be read from here on' },
  { name: 'empty file',        text: '# nothing\n',              want: '1:1 the file is empty' },
  { name: 'deep nesting',      text: '['.repeat(65),             want: '1:1 the file is too large or too deeply nested' },
  { name: 'column in code points', text: '"\u{1f600}中": &x 1\n', want: '1:7 anchors (`&…`) are not allowed' },
]

describe('parseYaml', () => {
  for (const { name, text, json } of ACCEPTED) {
    it(`reads ${name}`, () => {
      const { node, errors } = read(text)
      expect(errors).to.deep.equal([])
      expect(node && toJsonText(node)).to.equal(json)
    })
  }
  for (const { name, text, want } of REFUSED) {
    it(`refuses ${name}`, () => expect(read(text).errors).to.include(want))
  }

  it('tells all that is wrong, not the first', () => {
    expect(read('a: &x 1\nb: 0o7\nb: *x\n').errors).to.have.length(4)
  })

  it('reads any JSON text as that JSON value', () => {
    const safe = fc.jsonValue({ stringUnit: 'binary' }).filter(isSafe)
    fc.assert(
      fc.property(safe, (value) => {
        const same = JSON.stringify(value)
        const { node } = read(same)
        expect(JSON.stringify(JSON.parse(node ? toJsonText(node) : ''))).to.equal(same)
      }),
      { numRuns: 200 },
    )
  })

  it('never throws and always explains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const { node, errors } = read(text)
        if (node === undefined) expect(errors).to.not.deep.equal([])
      }),
      { numRuns: 500 },
    )
  })
})

/** What the subset refuses though JSON allows it. */
function isSafe(value: unknown): boolean {
  const text = JSON.stringify(value)
  if (/[\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/.test(text)) return false
  return (
    text.isWellFormed() &&
    !/"<<":|\\ud[89a-f]/i.test(text) &&
    !/(?<![\d.])\d{16,}(?![\d.eE])/.test(text)
  )
}

describe('renderReport', () => {
  it('draws the line, the caret and the help, in order of place', () => {
    const report = createReport()
    report.addSource('p.yaml', 'title: 授信申请 {x}\nurl: redis://user:secret@host\n')
    report.error({ file: 'p.yaml', line: 2, column: 6 }, 'second \x1b[2J', '')
    report.warning({ file: 'p.yaml', line: 1, column: 13, length: 3 }, 'first', 'say `y`', 'P101')
    expect(renderReport(report).split('\n')).to.deep.equal([
      'p.yaml:1:13: warning: P101: first',
      '  title: 授信申请 {x}',
      '         \u3000\u3000\u3000\u3000 ^^^',
      '  help: say `y`',
      '',
      'p.yaml:2:6: second \ufffd[2J',
      '  url: redis://***********@host',
      '       ^',
      '',
    ])
  })
})
