/** Bodies of every format through a running gateway, short and long, there and back. */
import { expect } from 'chai'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { startBank } from '../support/bank.ts'
import type { Answer } from '../support/client.ts'
import { useRelay } from '../support/relay.ts'

/** One format, its rules, and a body that is repeated `count` times inside. */
interface Case {
  readonly name: string
  readonly type: string
  readonly rules: string
  readonly body: (count: number) => Buffer
  readonly want: (count: number) => Buffer
  /** One that has a number of somebody where no rule allows it. */
  readonly leak: Buffer
}

const text = (source: string) => Buffer.from(source)
const gbk = (source: string) => startTranscoder('gbk').encode(Buffer.from(source))
const times = (count: number, one: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => one(n)).join('')
const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const file = (name: string, filename: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: image/jpeg\r\n\r\n${content}\r\n`

// prettier-ignore
const CASES: readonly Case[] = [
  {
    name: 'ndjson', type: 'application/x-ndjson', rules: 'fields: { "$[*].loan": keep, "$[*].note": keep }',
    body: (count) => text(times(count, (n) => `{"loan":"L-${n}","mobile":"13800138000"}\n`)),
    want: (count) => text(times(count, (n) => `{"loan":"L-${n}"}\n`)),
    leak: text('{"loan":"L-1","note":"13800138000"}\n'),
  },
  {
    name: 'form', type: 'application/x-www-form-urlencoded', rules: 'fields: { $.loan: keep, $.note: keep }',
    body: () => text('mobile=13800138000&loan=L%2D1'), want: () => text('loan=L%2D1'),
    leak: text('note=%31%33800138000'),
  },
  {
    name: 'csv', type: 'text/csv', rules: 'fields: { "$[*].loan": keep, "$[*].note": keep }',
    body: (count) => text(`mobile,loan,note\r\n${times(count, (n) => `13800138000,"L-${n}",\r\n`)}`),
    want: (count) => text(`loan,note\r\n${times(count, (n) => `"L-${n}",\r\n`)}`),
    leak: text('mobile,loan,note\n1,L-1,13800138000\n'),
  },
  {
    name: 'house', type: 'text/plain; charset=gbk',
    rules: 'body: { format: csv, type: text/plain, charset: gbk, delimiter: "|", quote: none, columns: [ loan, owner, mobile ], head: { columns: [ mark, rows ], count: rows } }, fields: { $.head: keep, "$.rows[*].loan": keep, "$.rows[*].owner": { kind: name, mask: surname } }',
    body: (count) => gbk(`开始|${count}\n${times(count, (n) => `恷${n}|王小明|13800138000\n`)}`),
    want: (count) => gbk(`开始|${count}\n${times(count, (n) => `恷${n}|王**|\n`)}`),
    leak: gbk('开始|1\n13800138000|王小明|1\n'),
  },
  {
    name: 'xml', type: 'application/xml', rules: "fields: { $.list.item.loan: keep, \"$.list.item['@id']\": keep, $.list.item.note: keep }",
    body: (count) => text(`<list>${times(count, (n) => `<item id="${n}"><loan>L-${n}</loan><mobile>13800138000</mobile></item>`)}</list>`),
    want: (count) => text(`<list>${times(count, (n) => `<item id="${n}"><loan>L-${n}</loan></item>`)}</list>`),
    leak: text('<list><item id="1"><note>1380<![CDATA[0138]]>000</note></item></list>'),
  },
  {
    name: 'multipart', type: 'multipart/form-data; boundary=b', rules: 'fields: { $.loan: keep, $.photo.content: keep }',
    body: (count) => text(`${part('loan', 'L-1')}${part('mobile', '13800138000')}${file('photo', '王小明.jpg', 'JPEG'.repeat(count))}--b--\r\n`),
    want: (count) => text(`${part('loan', 'L-1')}${file('photo', 'file', 'JPEG'.repeat(count))}--b--\r\n`),
    leak: text(`${part('loan', '13800138000')}--b--\r\n`),
  },
  {
    name: 'text', type: 'text/plain', rules: 'body: { format: text }, fields: { $: { redact: text } }',
    body: () => text('请致电13800138000核对'), want: () => text('请致电[mobile]核对'),
    leak: Buffer.alloc(0),
  },
  {
    name: 'binary', type: 'image/jpeg', rules: 'body: { format: binary, type: image/jpeg }, fields: { $: keep }',
    body: (count) => Buffer.concat([Buffer.from([0xff, 0xd8, 0]), Buffer.alloc(count * 20, 7)]),
    want: (count) => Buffer.concat([Buffer.from([0xff, 0xd8, 0]), Buffer.alloc(count * 20, 7)]),
    leak: text('call 13800138000 now'),
  },
]

function policyOf({ name, rules }: Case): string {
  return `policy: format-${name}
version: 1
title: { zh: 格式, en: Format }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /formats/${name} }
purpose: test
legal: { basis: contract, pia: { id: P, date: 2026-01-01 } }
request: { ${rules} }
response: { ${rules} }
tests: [ { name: t, request: '"', ${/text|binary/.test(name) ? '' : 'refused: ":"'} } ]
`
}

describe('bodies of every format', () => {
  const relay = useRelay(startBank)
  let echoed: readonly [type: string, body: Buffer] | undefined

  before(async () => {
    for (const one of CASES) relay.installation.addPolicy(`format-${one.name}.yaml`, policyOf(one))
    await relay.start({ limits: { BODY_BYTES_MAX: 100_000 } })
  })
  beforeEach(() => {
    relay.recipient.answer = (_request, response) => {
      const [type, body] = echoed ?? ['application/json', text('{}')]
      response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body)
    }
  })

  async function send(name: string, type: string, body: Buffer): Promise<Answer> {
    relay.recipient.received.length = 0
    return relay.post(`/harbour-bank/formats/${name}`, body, { 'content-type': type })
  }

  for (const { name, type, body, want, leak } of CASES) {
    it(`${name}: rewrites a request and its answer`, async () => {
      echoed = [type, body(3)]
      const { status, headers, body: answered } = await send(name, type, body(3))
      expect(status, answered).to.equal(200)
      const [received] = relay.recipient.received
      expect(received?.bytes.toString('latin1')).to.equal(want(3).toString('latin1'))
      expect(Buffer.from(answered)).to.deep.equal(text(want(3).toString()))
      expect(received?.headers['content-type']).to.match(new RegExp(`^${type.split(';')[0]}`))
      expect(received?.headers['content-type']).to.equal(headers['content-type'])
      const record = await relay.recordOf(String(headers['evidence-id']))
      expect(record).to.include({ kind: 'exchange', outcome: 'answered' })
      expect(JSON.stringify(record)).to.not.match(/13800138000|王小明/)
    })

    it(`${name}: is stopped by the leak guard`, async () => {
      if (leak.length === 0) return
      const { status, body: answered } = await send(name, type, leak)
      expect(answered).to.include('/problems/leak-detected')
      expect(status).to.equal(422)
      expect(relay.recipient.received).to.deep.equal([])
    })

    if (name === 'form' || name === 'text') continue
    it(`${name}: passes a long body on while it comes`, async () => {
      echoed = undefined
      const long = body(30_000)
      expect(long.length).to.be.above(100_000)
      const { status, headers, body: answered } = await send(name, type, long)
      // The answer is no body of this format.
      expect(answered).to.match(name === 'ndjson' ? /./ : /recipient-failed|^\{/)
      expect(status).to.be.oneOf([200, 502])
      const [received] = relay.recipient.received
      expect(received?.bytes.equals(want(30_000))).to.equal(true)
      const record = await relay.recordOf(String(headers['evidence-id']))
      expect(record).to.have.nested.property('request.streamed', true)
    })
  }

  it('looks at long bodies of GBK in their own characters', async () => {
    echoed = undefined
    const type = 'application/x-ndjson; charset=gbk'
    const lines = (note: string) => gbk(times(4000, (n) => `{"loan":"L-${n}","note":"${note}"}\n`))
    const fine = await send('ndjson', type, lines('放款金额已到账，一切如约'))
    expect(fine.body).to.not.include('/problems/leak-detected')
    expect(relay.recipient.received[0]?.bytes.equals(lines('放款金额已到账，一切如约'))).to.equal(
      true,
    )
    const { body, status } = await send('ndjson', type, lines('借款人：王小明'))
    expect(body).to.include('/problems/leak-detected')
    expect(status).to.equal(422)
  })

  it('refuses what no codec knows, and what the policy does not expect', async () => {
    const pdf = await send('ndjson', 'application/pdf', text('%PDF'))
    expect(pdf.body).to.include('/problems/media-type-unsupported').and.include('application/json')
    expect(pdf.status).to.equal(415)
    const json = await send('house', 'application/json', text('{}'))
    expect(json.body).to.include('the policy expects csv')
    const charset = await send('house', 'text/plain; charset=utf-8', text('x'))
    expect(charset.body).to.include('expected charset gbk')
  })

  it('tells the row and column of what cannot be read, as 422', async () => {
    const { status, body } = await send('csv', 'text/csv', text('a,b\n1,"2"x\n'))
    expect(body).to.include('/problems/row-invalid').and.include('row 1, column')
    expect(status).to.equal(422)
  })
})
