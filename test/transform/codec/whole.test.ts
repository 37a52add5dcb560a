import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFormat } from '../../../gateway/transform/format.ts'
import { compile } from '../policies.ts'
import { everyway, textOf } from './both.ts'

const TEXT = readFormat('text/plain', { format: 'text' })
const BINARY = readFormat('image/jpeg', { format: 'binary', mediaType: 'image/jpeg' })
const BYTES = Buffer.from([0xff, 0xd8, 0, 1, 0xc3, 0x28])

describe('text', () => {
  it('is one value', () => {
    const of = (action: string) => compile({ fields: { $: action } }).route.request
    const body = Buffer.from('手机\r\n138')
    expect(textOf(everyway(of('keep'), body, TEXT))).to.equal('手机\r\n138')
    expect(textOf(everyway(of('length'), body, TEXT))).to.equal('#7')
    expect(everyway(of('length'), body, TEXT)).to.have.deep.property('claims', [
      'f:$ "手机\\r\\n138"',
    ])
    expect(everyway(of('drop'), body, TEXT)).to.match(/^policy-refused/)
    expect(everyway(compile({ fields: {} }).route.request, body, TEXT)).to.match(/^policy-refused/)
  })
  it('is text', () => {
    const { request } = compile({ fields: { $: 'keep' } }).route
    expect(everyway(request, BYTES, TEXT)).to.equal('body-malformed: at byte 0: expected UTF-8')
  })
})

describe('binary', () => {
  it('passes as it came, with its digest', () => {
    const got = everyway(compile({ fields: { $: 'keep' } }).route.request, BYTES, BINARY)
    const digest = createHash('sha256').update(BYTES).digest('hex')
    expect(got).to.have.deep.property('bytes', BYTES)
    expect(got).to.have.deep.property('claims', [`f:$ "sha-256:${digest}"`])
  })
  it('is refused by any other policy', () => {
    for (const fields of [{}, { '$..x': 'keep' }, { '$.*': 'keep' }]) {
      expect(everyway(compile({ fields }).route.request, BYTES, BINARY)).to.match(/^policy-refused/)
    }
    expect(() => readFormat('application/octet-stream')).to.throw(/^expected application\/json/)
    expect(() => readFormat('image/png', { format: 'binary' })).to.throw(
      'the policy expects binary',
    )
  })
})
