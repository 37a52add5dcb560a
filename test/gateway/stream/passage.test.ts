import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import { createRowLedger } from '../../../evidence/rows/ledger.ts'
import { createPassage, type Passage } from '../../../gateway/stream/passage.ts'
import { readFormat } from '../../../gateway/transform/format.ts'
import { rewriteBody } from '../../../gateway/transform/rewrite.ts'
import type { Rewritten } from '../../../gateway/transform/transform.ts'
import { compile } from '../../transform/policies.ts'

const { request } = compile({
  fields: { '$[*].loan': 'keep', '$[*].mobile': 'length', '$[*].name': 'drop' },
  links: { loan: '$[0].loan' },
}).route

/** Lets `LEAK` not pass. */
function guard(bytes: Buffer): void {
  if (bytes.includes('LEAK')) throw new Problem('leak-detected', 'found it')
}

function open(mediaType: string): Passage {
  return createPassage({
    rules: request,
    format: readFormat(mediaType),
    decode: undefined,
    encode: undefined,
    guard,
    ledger: createRowLedger(Buffer.alloc(32), 'request'),
    limits: { bytesMax: 1e9, ratioMax: 200 },
  })
}

async function* source(parts: readonly string[], failure?: Problem): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part)
  if (failure !== undefined) throw failure
}

/** @returns the slug of what stopped it. */
async function run(passage: Passage, body: AsyncGenerator<Buffer>): Promise<string | undefined> {
  try {
    for await (const bytes of passage.run(body)) expect(bytes.length).to.be.greaterThan(0)
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error.slug
    throw error
  }
}

const row = (loan: string, more = '') =>
  `{"loan":"${loan}","mobile":"13800138000","name":"王","x":1${more}}`
const counts = (passage: Passage) => passage.facts('').manifest.map(({ path, count }) => [path, count]) // prettier-ignore
/** What was done to so many rows. */
const done = (count: number) => [
  ['$[*].loan', count],
  ['$[*].mobile', count],
  ['$[*].name', count],
]

describe('a passage', () => {
  // prettier-ignore
  const STOPPED: readonly [name: string, mediaType: string, parts: string[], slug: string, failure?: Problem][] = [
    ['a leak in a row',          'application/x-ndjson', [`${row('1')}\n${row('2')}\n`, `${row('3')}\n${row('LEAK')}\n`], 'leak-detected'],
    ['a leak in the last row',   'application/x-ndjson', [`${row('1')}\n`, `${row('2')}\n`, row('LEAK')],                 'leak-detected'],
    ['a row that is no JSON',    'application/x-ndjson', [`${row('1')}\n${row('2')}\n`, `${row('3')}\n{]\n`],             'row-invalid'],
    ['a source that breaks off', 'application/x-ndjson', [`${row('1')}\n`, `${row('2')}\n{"loan":`],                      'body-malformed', new Problem('body-malformed', 'gone')],
    ['a leak in a document',     'application/json',     [`[${row('1')},${row('2')}`, `,${row('LEAK')}]`],                'leak-detected'],
    ['a document that ends early', 'application/json',   [`[${row('1')}`, `,${row('2')}`],                                'body-malformed'],
  ]
  for (const [name, mediaType, parts, slug, failure] of STOPPED) {
    it(`says what was done to what left before ${name}`, async () => {
      const passage = open(mediaType)
      expect(await run(passage, source(parts, failure))).to.equal(slug)
      expect(passage.facts('')).to.include({ void: true, unnamed: 2 })
      expect(counts(passage)).to.deep.equal(done(2))
      expect(passage.captured().get('links.loan')?.reveal()).to.equal('1')
    })
  }

  it('says of nothing that left that nothing was done', async () => {
    const passage = open('application/x-ndjson')
    expect(await run(passage, source([`${row('LEAK')}\n`]))).to.equal('leak-detected')
    expect(passage.facts('')).to.deep.include({ void: true, unnamed: 0, manifest: [] })
  })

  it('says of a whole body what is said of it in one piece', async () => {
    for (const mediaType of ['application/x-ndjson', 'application/json']) {
      const rows = [row('1'), row('2'), row('3')]
      const text = mediaType === 'application/json' ? `[${rows.join(',')}]` : rows.join('\n')
      const passage = open(mediaType)
      expect(await run(passage, source(text.split(/(?<=,)/)))).to.equal(undefined)
      const { manifest, unnamed } = rewriteBody(request, Buffer.from(text), readFormat(mediaType)) as Rewritten // prettier-ignore
      expect(passage.facts('')).to.deep.include({ manifest, unnamed })
      expect(passage.facts('')).to.not.have.property('void')
    }
  })
})
