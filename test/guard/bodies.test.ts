import { expect } from 'chai'
import fc from 'fast-check'
import { groupsOf } from '../../gateway/guard/bodies.ts'

const TOKEN =
  /<!--([\s\S]*?)(?:-->|$)|<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<((?:"[^"]*"|'[^']*'|[^'">])*)>?|([^<]+)/g
const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/** What stands in a document of XML, said by patterns: whose it is, and what it says. */
function reference(text: string): string[] {
  const found: string[] = []
  let [count, owner, run] = [0, '', '']
  const close = () => {
    if (run.trim() !== '') found.push(`element ${count} ${owner}: ${run}`)
    run = ''
  }
  for (const [whole, comment, cdata, tag] of text.matchAll(TOKEN)) {
    if (comment !== undefined) found.push(`comment ${count} : ${comment}`)
    else if (tag === undefined) run += cdata ?? whole
    else {
      close()
      owner = (/^[^\s/>]*/.exec(tag)?.[0] ?? '').replace(/^.*:/, '')
      count++
      const rest = tag.slice(tag.search(/\s|$/))
      const attributes = [...rest.matchAll(ATTRIBUTE)].map(
        ([, name = '', double, single]) =>
          `@${name.replace(/^.*:/, '')}: ${double ?? single ?? ''}`,
      )
      for (const each of [`: ${owner}`, ...attributes, `: ${rest.replace(ATTRIBUTE, '')}`])
        found.push(`element ${count} ${each}`)
    }
  }
  close()
  return found.filter((each) => !each.endsWith(': '))
}

function found(text: string): string[] {
  const groups = [...(groupsOf(Buffer.from(text), 'application/xml', undefined) ?? [])]
  return groups
    .flatMap(({ name, fields }) =>
      fields.map(([field, value]) => `${name} ${field}: ${String(value)}`),
    )
    .filter((each) => !each.endsWith(': '))
}

const piece = fc.constantFrom(
  ...[
    '<a>',
    '</a>',
    '<p:b c="d" p:e=\'f\' />',
    '<张三 x>',
    '<a b="1',
    "<a b='<c>'>",
    '<',
    '>',
    '"',
    "'",
  ],
  ...[
    '<!-- x > y -->',
    '<!--',
    '-->',
    '<![CDATA[ <z> ]]>',
    '<![CDATA[',
    ']]>',
    '<?xml version="1.0"?>',
  ],
  ...['text', ' ', '\n', '13800138000', '&amp;', '=', '/', '<a\nb = "c"d>', '<:a:b >', '<a="x" y>'],
)

describe('a document of XML', () => {
  it('is cut into what the patterns find', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(found(pieces.join(''))).to.deep.equal(reference(pieces.join('')))
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('a multipart body', () => {
  const MEDIA_TYPE = 'multipart/form-data; boundary=b'
  const cut = (body: Buffer, mediaType = MEDIA_TYPE) =>
    [...(groupsOf(body, mediaType, undefined) ?? [])].map(({ fields }) =>
      fields.map(([field, value]) => `${field}: ${String(value)}`),
    )
  it('is cut into heads and contents, a file by its name', () => {
    const head = 'Content-Disposition: form-data; name="姓名"'
    const file = 'Content-Disposition: form-data; name="f"; filename="照片.jpg"'
    const body = Buffer.from(`--b\r\n${head}\r\n\r\n张三\r\n--b\n${file}\n\n\u0000é\n\n\n--b--`)
    expect(cut(body)).to.deep.equal([
      [': ', ': '],
      [`: \r\n${head}`, '姓名: 张三'],
      [`: \n${file}`, 'filename: 照片.jpg', 'content: \u0000é\n\n'],
      [': --', ': '],
    ])
  })
  it('is all head without a blank line, and one part without a boundary', () => {
    expect(cut(Buffer.from('张三 --b'), 'multipart/mixed')).to.deep.equal([[': 张三 --b', ': ']])
  })
})
