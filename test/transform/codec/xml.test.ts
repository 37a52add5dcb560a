import { expect } from 'chai'
import { readFormat } from '../../../gateway/transform/format.ts'
import { startTranscoder } from '../../../gateway/transform/charset.ts'
import { compile } from '../policies.ts'
import { everyway, textOf } from './both.ts'

const FORMAT = readFormat('application/xml')
const SPACES = readFormat('application/soap+xml', {
  format: 'xml',
  namespaces: new Map([
    ['', 'urn:x'],
    ['a', 'urn:a'],
  ]),
})

const ALL = { '$.r': 'keep' }

describe('XML', () => {
  // prettier-ignore
  const ACCEPTED: readonly [name: string, fields: Record<string, string>, body: string, want: string, format?: typeof FORMAT][] = [
    ['keeps all',                   ALL, '<?xml version="1.0" encoding="UTF-8"?>\n<r a=\'1\' >\r\n <b/>x<!-- c --><c><![CDATA[<&]]>&#x4e2d;</c ></r>\n', '<?xml version="1.0" encoding="UTF-8"?>\n<r a=\'1\' >\r\n <b/>x<!-- c --><c><![CDATA[<&]]>&#x4e2d;</c ></r>\n'],
    ['keeps all, one by one',       { '$.r.a': 'keep', "$.r['@x']": 'keep', '$.r.b': 'keep' }, '<r x="1" >\n <a>1</a>\n <b />\n</r>', '<r x="1" >\n <a>1</a>\n <b />\n</r>'],
    ['takes elements out',          { '$.r.a': 'keep' }, '<r>\n <b>2</b>\n <a>1</a>\n <c><d>3</d></c>\n</r>', '<r>\n <a>1</a>\n</r>'],
    ['takes attributes out',        { "$.r['@b']": 'keep', "$.r['#text']": 'keep' }, '<r a="1" b="2" c="3">x</r>', '<r b="2">x</r>'],
    ['takes the last attributes out', { "$.r['@a']": 'keep' }, '<r a="1" b="2"/>', '<r a="1"/>'],
    ['takes comments out',          { '$.r.a': 'keep' }, '<!-- 13800138000 --><r><a>1</a><!-- x --><b/></r><!-- y -->', '<r><a>1</a></r>'],
    ['takes text between out',      { '$.r.a': 'keep' }, '<r>138<a>1</a>00</r>', '<r><a>1</a></r>'],
    ['keeps a whole text',          { '$.r': 'keep' }, '<r>1</r>', '<r>1</r>'],
    ['changes a text',              { '$.r.a': 'length' }, '<r><a>&lt;<![CDATA[<]]></a></r>', '<r><a>#2</a></r>'],
    ['changes an empty element',    { '$.r.a': 'length' }, '<r><a /><a></a></r>', '<r><a >#0</a><a>#0</a></r>'],
    ['changes an attribute',        { "$.r['@a']": 'echo' }, "<r a='&quot;\n&apos;'/>", '<r a="&quot; \'"/>'],
    ['escapes what it writes',      { '$.r.a': 'echo' }, '<r><a>&lt;&amp;]]&gt;</a></r>', '<r><a>&lt;&amp;]]&gt;</a></r>'],
    ['renames',                     { '$.r.a': 'length > $.r.b', "$.r['@c']": "keep > $.r['@d']" }, '<r c="1"><a>12</a></r>', '<r d="1"><b>#2</b></r>'],
    ['renames what it keeps',       { '$.r.a': 'keep > $.r.b' }, '<r><a x="1">9</a><a>&#49;</a><a/></r>'.replace('<a x="1">9</a>', ''), '<r><b>&#49;</b><b/></r>'],
    ['takes repeated elements alike', { '$.r.i.m': 'drop', '$.r.i.n': 'keep' }, '<r><i><m>1</m><n>2</n></i><i><n>3</n><m>4</m></i></r>', '<r><i><n>2</n></i><i><n>3</n></i></r>'],
    ['leaves emptied elements',     { '$.r.i.n': 'keep' }, '<r><i><m>1</m><p/></i></r>', '<r><i></i></r>'],
    ['goes by namespaces',          { '$.r.b': 'keep', "$.r['a:b']": 'keep', "$.r['@a:k']": 'keep' }, '<r xmlns="urn:x" xmlns:z="urn:a" z:k="1" k="2"><b>1</b><z:b>2</z:b><z:c/></r>', '<r xmlns="urn:x" xmlns:z="urn:a" z:k="1"><b>1</b><z:b>2</z:b></r>', SPACES],
    ['tells no namespace apart',    { '$.r.b': 'keep' }, '<r xmlns="urn:x"><b xmlns="">1</b></r>', '<r xmlns="urn:x"></r>', SPACES],
    ['keeps a byte order mark',     ALL, '\ufeff<r/>', '\ufeff<r/>'],
    ['keeps what a container has',  { '$.r.c': 'keep', '$.r.c.x': 'drop' }, '<r><c q="1"> <!-- k -->t<x>1</x><y/> </c></r>', '<r><c q="1"> <!-- k -->t<y/> </c></r>'],
  ]
  for (const [name, fields, body, want, format = FORMAT] of ACCEPTED) {
    it(name, () => {
      const { route, complaints } = compile({ fields })
      expect(complaints).to.deep.equal([])
      expect(textOf(everyway(route.request, Buffer.from(body), format))).to.equal(want)
    })
  }

  // prettier-ignore
  const REFUSED: readonly [name: string, body: string, want: string, format?: typeof FORMAT][] = [
    ['a document type',        '<!DOCTYPE r [<!ENTITY x "y">]><r/>', 'body-malformed: at byte 0: a document type declaration'],
    ['an entity of its own',   '<r>a&x;</r>', 'body-malformed: at byte 4: an entity that XML does not define'],
    ['a character that is none', '<r>&#0;</r>', 'body-malformed: at byte 3: an entity that XML does not define'],
    ['an open ampersand',      '<r a="&"/>', 'body-malformed: at byte 6: an entity that XML does not define'],
    ['an instruction',         '<r><?x y?></r>', 'body-malformed: at byte 3: a processing instruction'],
    ['another end tag',        '<r><a></b></r>', 'body-malformed: at byte 6: an end tag of another element'],
    ['another end tag outside', '<r><a/></s>', 'body-malformed: at byte 7: an end tag of another element'],
    ['an end without a start', '</r>', 'body-malformed: at byte 0: an end tag without its start'],
    ['two documents',          '<r/><s/>', 'body-malformed: at byte 4: expected nothing after the document'],
    ['text outside',           '<r/>x', 'body-malformed: at byte 4: text outside of the document'],
    ['an end that is early',   '<r><a>1</a>', 'body-malformed: at byte 11: the document ends early'],
    ['a cut tag',              '<r><a', 'body-malformed: at byte 5: the document ends early'],
    ['nothing but a comment',  '<!-- c -->', 'body-malformed: at byte 10: the document ends early'],
    ['an attribute twice',     '<r a="1" a="2"/>', 'body-malformed: at byte 9: the element has this attribute twice'],
    ['an attribute without quotes', '<r a=1/>', 'body-malformed: at byte 3: expected `name="value"`'],
    ['attributes run together', '<r a="1"b="2"/>', 'body-malformed: at byte 8: expected a blank before an attribute'],
    ['a tag in an attribute',  '<r a="<"/>', 'body-malformed: at byte 5: a `<` in an attribute'],
    ['a name that is none',    '<1/>', 'body-malformed: at byte 1: expected a name'],
    ['dashes in a comment',    '<r><!-- a--b --></r>', 'body-malformed: at byte 9: two dashes in a comment'],
    ['a section that ends in text', '<r>]]></r>', 'body-malformed: at byte 3: `]]>` in text'],
    ['a control character',    '<r>\u0001</r>', 'body-malformed: at byte 3: a control character'],
    ['a declaration of another kind', '<?xml version="1.1"?><r/>', 'body-malformed: at byte 0: a declaration of XML that is not in its simplest form'],
    ['another character set',  '<?xml version="1.0" encoding="GBK"?><r/>', 'media-type-unsupported: the document says that it is in another character set than utf-8'],
    ['an unknown namespace',   '<r xmlns="urn:y"/>', "policy-refused: the namespace at byte 3 is not in the policy's `namespaces`"],
    ['an unknown prefix',      '<p:r/>', 'body-malformed: at byte 0: the prefix is not declared'],
    ['one attribute, two prefixes', '<r xmlns:a="urn:a" xmlns:b="urn:a" a:k="1" b:k="2"/>', 'body-malformed: at byte 43: the element has this attribute twice', SPACES],
    ['nesting',                `${'<a>'.repeat(70)}x`, 'body-too-large: nesting is deeper than 64 at byte 192'],
  ]
  for (const [name, body, want, format = FORMAT] of REFUSED) {
    it(`refuses ${name}`, () => {
      const { request } = compile({ fields: ALL }).route
      expect(everyway(request, Buffer.from(body), format)).to.equal(want)
    })
  }

  it('refuses to rename what holds others, and a rule for a value that meets a container', () => {
    const renaming = compile({ fields: { '$.r.a': 'keep > $.r.b' } }).route.request
    expect(everyway(renaming, Buffer.from('<r><a x="1">9</a></r>'), FORMAT)).to.match(
      /^policy-refused: an element/,
    )
    const masking = compile({ fields: { '$.r.a': 'length' } }).route.request
    expect(everyway(masking, Buffer.from('<r><a x="1">9</a></r>'), FORMAT)).to.match(
      /^policy-refused: `\$\.r\.a`/,
    )
  })

  it('claims texts, and elements by their source, each under its own name', () => {
    const { request } = compile({
      fields: { '$.r.i': 'drop', '$.r.k.m': 'length' },
      links: { id: '$.r.id' },
    }).route
    const body = '<r><id>A&amp;1</id><i>1</i><i x="2"/>t<k><m>1</m><m>2</m></k>u</r>'
    expect(everyway(request, Buffer.from(body), FORMAT)).to.have.deep.property('claims', [
      'f:$.r.id "A&1"',
      'f:$.r.i "1"',
      `f:$.r['i[2]'] " x=\\"2\\"/>"`,
      `f:$.r['#text'] "t"`,
      'f:$.r.k.m "1"',
      `f:$.r.k['m[2]'] "2"`,
      `f:$.r['#text[2]'] "u"`,
    ])
  })

  it('refuses a second value where the evidence needs one', () => {
    const { request } = compile({ fields: ALL, links: { id: '$.r.id' } }).route
    const got = everyway(request, Buffer.from('<r><id>1</id><id>2</id></r>'), FORMAT)
    expect(got).to.equal('policy-refused: what `links.id` is taken from stands twice')
  })

  it('reads GB 18030', () => {
    const gb = (text: string) => startTranscoder('gb18030').encode(Buffer.from(text))
    const format = readFormat('text/xml; charset=gb18030')
    const { request } = compile({ fields: { '$.客户.姓名': 'keep' } }).route
    const head = '<?xml version="1.0" encoding="GB18030"?>'
    const body = gb(`${head}<客户><姓名>張三</姓名><手机>138</手机></客户>`)
    const got = everyway(request, body, format)
    expect(got).to.have.deep.property('bytes', gb(`${head}<客户><姓名>張三</姓名></客户>`))
  })
})
