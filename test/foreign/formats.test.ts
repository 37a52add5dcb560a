/** Parsers that are not ours read what we wrote: Python's csv, json, email and xml.etree. */
import { expect } from 'chai'
import { CSV_DEFAULT } from '../../gateway/policy/body.ts'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { type BodyFormat, readFormat } from '../../gateway/transform/format.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { type Row, WRITTEN } from '../transform/codec/written.ts'
import { compile } from '../transform/policies.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

/** Prints what it reads as JSON: a list of records. */
const READERS: Readonly<Record<string, string>> = {
  json: 'print(json.dumps(json.loads(data)))',
  ndjson: 'print(json.dumps([json.loads(line) for line in data.splitlines()]))',
  csv: 'print(json.dumps(list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))))',
  xml: 'print(json.dumps([{e.tag: e.text or "" for e in row} for row in ElementTree.fromstring(data)]))',
  form: 'print(json.dumps([dict(parse_qsl(data.decode(), keep_blank_values=True, strict_parsing=True))]))',
  multipart: `
mail = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b'Content-Type: multipart/form-data; boundary="x"\\r\\n\\r\\n' + data)
assert not mail.defects and not any(p.defects for p in mail.iter_parts()), 'defects'
print(json.dumps([{p.get_param('name', header='content-disposition'): p.get_payload(decode=True).decode() for p in mail.iter_parts()}]))`,
  house:
    'print(json.dumps(list(csv.reader(io.StringIO(data.decode("gb18030"), newline=""), delimiter="|", quoting=csv.QUOTE_NONE))))',
}
const HEAD = `import csv, email.parser, email.policy, io, json, sys
from urllib.parse import parse_qsl
from xml.etree import ElementTree
data = open('body', 'rb').read()
`

const ROWS: readonly Row[] = [
  { a: '1,"2"', b: '13800138000', c: "张三丰 <&> 'x'", d: 'line\nbreak' },
  { a: '=|;', b: '13900139000', c: '😀 ]]>', d: '' },
]
const WANT = ROWS.map(({ a = '', c = '', d = '' }) => ({ a, c: `#${c.length}`, d }))

describeForeign('bodies that we wrote, read by Python', ['python3', '--version'], () => {
  const folder = makeFolder()
  after(() => folder.remove())

  function read(name: string, body: Uint8Array): unknown {
    folder.put('body', body)
    folder.put('read.py', HEAD + (READERS[name] ?? ''))
    const { ok, text } = runTool('python3', ['read.py'], folder.path)
    expect(ok, text).to.equal(true)
    return JSON.parse(text)
  }
  function rewritten(fields: Record<string, string>, body: Uint8Array, format: BodyFormat) {
    const { request } = compile({ fields }).route
    return (rewriteBody(request, body, format) as Rewritten).bytes
  }

  for (const { name, format, hasRows, path, body } of WRITTEN) {
    it(`reads ${name}`, () => {
      const fields = {
        [path('a')]: 'keep',
        [path('b')]: 'drop',
        [path('c')]: 'length',
        [path('d')]: 'echo',
      }
      const used = hasRows ? ROWS : ROWS.slice(0, 1)
      const out = rewritten(fields, Buffer.from(body(used)), format)
      expect(read(name, out)).to.deep.equal(hasRows ? WANT : WANT.slice(0, 1))
    })
  }

  it('reads a house file of GB 18030, with characters whose second byte is the delimiter', () => {
    const dialect = {
      format: 'csv',
      charset: 'gb18030',
      csv: { ...CSV_DEFAULT, delimiter: '|', quote: 'none', columns: ['no', 'name', 'm'] },
    } as const
    const text = '1|恷倈|138\n2|張三𠀀|139\n'
    const body = startTranscoder('gb18030').encode(Buffer.from(text))
    const out = rewritten(
      { '$[*].no': 'keep', '$[*].name': 'keep' },
      body,
      readFormat('text/csv', dialect),
    )
    expect(read('house', out)).to.deep.equal([
      ['1', '恷倈', ''],
      ['2', '張三𠀀', ''],
    ])
  })
})
