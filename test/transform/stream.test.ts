import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../base/problem.ts'
import type { CompiledDirection } from '../../gateway/transform/compile.ts'
import { JSON_FORMAT, readFormat } from '../../gateway/transform/format.ts'
import { HELD_BYTES_MAX } from '../../gateway/transform/limits.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'
import { startBodyStream } from '../../gateway/transform/stream.ts'
import type { Rewritten } from '../../gateway/transform/transform.ts'
import { write } from '../reference/tree.ts'
import { RUNS, SEED, sketch, tree } from './generators.ts'
import { rowsOf } from './codec/both.ts'
import { compile } from './policies.ts'

function show({ bytes, manifest, unnamed, claims, captured }: Rewritten): unknown {
  const values = [...captured].map(([name, value]) => [name, value.type, value.reveal()])
  return { text: bytes.toString(), manifest, unnamed, claims, values }
}

function outcome(run: () => Rewritten): unknown {
  try {
    return show(run())
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.message}`
    throw error
  }
}

/** Writes `body` in pieces that end at `cuts`. */
function streamed(
  direction: CompiledDirection,
  body: Buffer,
  cuts: readonly number[],
  format = JSON_FORMAT,
): Rewritten {
  const stream = startBodyStream(direction, format)
  const ends = [...cuts, body.length]
  const parts = ends.map((end, index) => stream.write(body.subarray(ends[index - 1] ?? 0, end)))
  const last = stream.end()
  return {
    ...last,
    bytes: Buffer.concat([...parts.map(({ bytes }) => bytes), last.bytes]),
    claims: [...parts.flatMap(({ claims }) => claims), ...last.claims],
  }
}

const SKETCH = {
  fields: {
    '$.id': 'keep',
    '$.amount': 'keep',
    '$.who': 'keep',
    '$.who.name': 'length',
    '$.who.born': 'length > $.who.age',
    '$.list[*].m': 'drop',
    '$.list[*].n': 'keep',
    '$..deep': 'keep',
    '$.device': 'drop',
  },
  links: { id: '$.id', model: '$.device.model' },
  consent: '$.consent',
}
const BODY = `  {"id":"A-\\ud83d\\ude00", "amount" : 1.10e+2 ,"who":{"name":"张三丰","born":"1990-01-01","more":[ true,null , "\\u4e2d"]},
  "list":[{"m":"13800138000","n":-0},{"n":"李静"},{"x":[]}], "u":{"v":{"w":1},"deep":{"k":"张"}}, "o":{"p":{"q":[{}]}},
  "device":{"model":"X","ids":["${'7'.repeat(500)}"],"\\u0061":{}}, "consent":{"id":"C-1","kinds":["name", "mobile"]},
  "text":"${'字'.repeat(400)}" }  `

describe('startBodyStream', () => {
  const { route, complaints } = compile(SKETCH)
  const body = Buffer.from(BODY)
  const whole = show(rewriteBody(route.request, body) as Rewritten)

  it('gives the same for a body of 2 KB, wherever it is cut', () => {
    expect(complaints).to.deep.equal([])
    expect(body.length).to.be.within(2000, 3000)
    for (let cut = 0; cut <= body.length; cut++) {
      expect(show(streamed(route.request, body, [cut])), `cut at ${cut}`).to.deep.equal(whole)
    }
    for (const size of [1, 2, 3, 7, 64]) {
      const cuts = Array.from({ length: Math.floor(body.length / size) }, (_, n) => n * size)
      expect(show(streamed(route.request, body, cuts)), `pieces of ${size}`).to.deep.equal(whole)
    }
  })

  it('gives the same for any policy, any body and any cuts', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 6 })
    fc.assert(
      fc.property(sketch, tree, cuts, fc.boolean(), (rules, value, places, torn) => {
        const { route: any, complaints: wrong } = compile(rules)
        if (wrong.length > 0) return
        const text = Buffer.from(write(value))
        // A torn body is refused either way, or was whole before the tear.
        const input = torn ? text.subarray(0, text.length - 1) : text
        const at = places.map((place) => place % (input.length + 1)).sort((a, b) => a - b)
        const want = outcome(() => rewriteBody(any.request, input) as Rewritten)
        expect(outcome(() => streamed(any.request, input, at))).to.deep.equal(want)
      }),
      { numRuns: RUNS / 3, seed: SEED },
    )
  }).timeout(Math.max(20_000, RUNS * 10))

  it('holds back no more than its limit', () => {
    const stream = startBodyStream(
      compile({ fields: { '$.rows[*].n': 'keep', '$.drop': 'drop' } }).route.request,
    )
    const row = Buffer.from(`{"n":1,"m":"${'x'.repeat(1000)}"},`)
    let out = stream.write(Buffer.from('{"rows":[')).bytes.length
    for (let n = 0; n < 5000; n++) out += stream.write(row).bytes.length
    expect(out).to.be.above(30_000)
    stream.write(Buffer.from('{}],"drop":['))
    const flood = () => {
      for (let n = 0; n * 1000 < 2 * HELD_BYTES_MAX; n++) stream.write(row)
    }
    expect(flood).to.throw(Problem, /^over 1048576 bytes from byte \d+ on are undecided: /)
  })

  it('holds nothing back of what goes, where nobody commits to it', () => {
    const { request } = compile({ fields: { '$.a': 'keep', '$.drop': 'drop' } }).route
    const stream = startBodyStream({ ...request, body: { ...request.body, claims: undefined } })
    const out = [stream.write(Buffer.from('{"a":1,"drop":[0')).bytes]
    const more = Buffer.from(`,"${'x'.repeat(1000)}",{"y":[1]}`)
    for (let n = 0; n * 1000 < 2 * HELD_BYTES_MAX; n++) out.push(stream.write(more).bytes)
    out.push(stream.write(Buffer.from('],"other":[')).bytes)
    for (let n = 0; n * 1000 < 2 * HELD_BYTES_MAX; n++) out.push(stream.write(more.subarray(n === 0 ? 1 : 0)).bytes) // prettier-ignore
    out.push(stream.write(Buffer.from(']}')).bytes)
    const last = stream.end()
    expect(Buffer.concat([...out, last.bytes]).toString()).to.equal('{"a":1}')
    expect(last).to.deep.include({ unnamed: 1, claims: [] })
  })

  it('names the same byte in a refusal, wherever the body is cut', () => {
    // prettier-ignore
    const REFUSED: readonly [body: string, want: RegExp][] = [
      ['{"a":1,"b":{"c":2,"d":[3]}}',     /^policy-refused: no rule names the value at byte 22, `\$\.b\[\*\]`$/],
      ['{"a":1,"b":{"c":2,"d":3}}',       /^policy-refused: no rule names the value at byte 22, /],
      ['{"a":1,"b":{"c":2},"e":[1,2]}',   /^policy-refused: `\$\.e` takes a single value, received a container at byte 23$/],
    ]
    const fields = { '$.a': 'keep', '$.b.c': 'keep', '$.e': 'length' }
    const { request } = compile({ fields, unnamed: 'refuse' }).route
    for (const [text, want] of REFUSED) {
      const input = Buffer.from(text)
      const whole = outcome(() => rewriteBody(request, input) as Rewritten)
      expect(whole).to.match(want)
      for (let cut = 0; cut <= input.length; cut++) {
        expect(outcome(() => streamed(request, input, [cut]))).to.equal(whole)
      }
    }
  })

  it('refuses a rule that answers later', () => {
    const { request } = compile({ fields: { '$.a': 'later' } }).route
    expect(outcome(() => streamed(request, Buffer.from('{"a":1}'), []))).to.match(
      /^policy-refused: /,
    )
  })
})

describe('other codecs on the same engine', () => {
  // prettier-ignore
  const CASES: readonly [type: string, fields: Record<string, string>, body: string, want: string][] = [
    ['application/x-ndjson', { '$[*].a': 'keep' }, '{"a":1}\n{"a":2,"b":3}\n', '{"a":1}\n{"a":2}\n'],
    ['application/x-ndjson', { '$[*]': 'keep', '$[1]': 'drop' }, '1\r\n2\r\n3', '1\r\n3'],
    ['application/x-ndjson', { '$[*].a': 'keep' }, '{"a":1}\n5\n{"a":2}', '{"a":1}\n{"a":2}'],
    ['application/x-ndjson', { '$[*].a': 'keep' }, '', ''],
    ['application/x-ndjson', { '$[*].a': 'keep' }, '{"a":1}\n\n{"a":2}', 'row-invalid'],
    ['application/x-ndjson', { '$[*].a': 'keep' }, '{"a":\n1}', 'row-invalid'],
    ['application/x-ndjson', { '$[*].a': 'keep' }, '{"a":1} {"a":2}', 'row-invalid'],
    ['application/x-ndjson; charset=gbk', { '$[*].a': 'keep' }, '{"a":1}\n{"a":"张"}', 'row-invalid'],
    ['application/x-www-form-urlencoded', { '$.a': 'keep', '$.b': 'length' }, 'x=1&a=%31&b=%E4%B8%AD', 'a=%31&b=%231'],
    ['application/x-www-form-urlencoded', { '$.a': 'keep > $.中' }, 'a=1', '%E4%B8%AD=1'],
    ['application/x-www-form-urlencoded', { '$.a': 'constant' }, 'a=1', 'a=0'],
    ['application/x-www-form-urlencoded', { '$.a': 'keep' }, 'a=1&a=2', 'body-malformed'],
    ['application/pdf', { $: 'keep' }, 'a', 'media-type-unsupported'],
  ]
  for (const [type, fields, body, want] of CASES) {
    it(`${type}: ${JSON.stringify(body)}`, () => {
      const { request } = compile({ fields }).route
      const got = outcome(
        () => rewriteBody(request, Buffer.from(body), readFormat(type)) as Rewritten,
      )
      const said = typeof got === 'string' ? got.split(':')[0] : (got as { text: string }).text
      expect(said).to.equal(want)
      if (want === 'media-type-unsupported') return
      for (let cut = 0; cut <= body.length; cut++) {
        const run = () => streamed(request, Buffer.from(body), [cut], readFormat(type))
        expect(outcome(run), `cut at ${cut}`).to.deep.equal(got)
      }
    })
  }

  it('tells each line as it came and as it leaves', () => {
    const { request } = compile({ fields: { '$[*].a': 'keep' } }).route
    const came: string[] = []
    const left: string[] = []
    const stream = startBodyStream(request, readFormat('application/x-ndjson'), {
      onRows: (received, forwarded) => {
        came.push(...rowsOf(received))
        left.push(...rowsOf(forwarded))
      },
    })
    const text = ['{"a":1,', '"b":2}\r\n{"a":3}\n7', '\n{"a":', '"中"}']
    const parts = text.map((part) => stream.write(Buffer.from(part)).bytes)
    const all = Buffer.concat([...parts, stream.end().bytes])
    expect(all.toString()).to.equal('{"a":1}\r\n{"a":3}\n{"a":"中"}')
    expect(came).to.deep.equal(['{"a":1,"b":2}\r', '{"a":3}', '7', '{"a":"中"}'])
    expect(left).to.deep.equal(['{"a":1}', '{"a":3}', '{"a":"中"}'])
  })

  it("claims a form's values as JSON, and lines by their index", () => {
    const form = rewriteBody(
      compile({ fields: {} }).route.request,
      Buffer.from('a+b=%22'),
      readFormat('application/x-www-form-urlencoded'),
    )
    expect((form as Rewritten).claims).to.deep.equal([{ name: "f:$['a b']", json: '"\\""' }])
    const lines = rewriteBody(
      compile({ fields: { '$[*].a': 'drop' } }).route.request,
      Buffer.from('{}\n{"a":1.0}'),
      readFormat('application/x-ndjson'),
    )
    expect((lines as Rewritten).claims).to.deep.equal([{ name: 'f:$[1].a', json: '1.0' }])
  })
})
