import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createEnvelopeBench } from '../../support/envelopes.ts'
import { WEAKNESSES } from '../../../gateway/envelope/weak.ts'

const README = readFileSync(new URL('../../../gateway/envelope/README.md', import.meta.url), 'utf8')
const blockAfter = (language: string, count = 0) =>
  README.split(`\`\`\`${language}\n`)[count + 1]?.split('```')[0] ?? ''

describe('the README of envelopes', () => {
  const bench = createEnvelopeBench()
  after(() => bench.remove())

  it('shows an envelope that opens to what it says', async () => {
    bench.put('channel.key', /`(text:0123456789\w+)`/.exec(README)?.[1] ?? '')
    bench.put('channel.secret', /`(text:a secret[^`]+)`/.exec(README)?.[1] ?? '')
    bench.put('ours.jwk', readFileSync(`${bench.folder}/keys/a.ec.jwk`))
    bench.put('harbour.pub.jwk', readFileSync(`${bench.folder}/keys/b.ec.pub.jwk`))
    const envelopes = await bench.open(blockAfter('yaml').replace('envelopes:\n', ''))
    const [channel, jwe] = [envelopes.get('sunrise-channel'), envelopes.get('harbour-jwe')]
    const head = new Map([['content-type', 'application/json']])
    const inner = await channel?.open({ head, body: Buffer.from(blockAfter('json').trim()) })
    expect(README).to.include(`opened to \`${inner?.toString()}\``)
    const facts = JSON.parse(blockAfter('json', 1)) as unknown
    expect(facts).to.deep.equal({ opened: channel?.facts, sealed: jwe?.facts })
    const sealed = await jwe?.seal(Buffer.from('{}'))
    expect(sealed?.body.toString()).to.match(/^eyJhbGciOiJFQ0RILUVTIiw/)
  })

  it('lists every weakness with its number', () => {
    for (const [name, { code }] of Object.entries(WEAKNESSES)) {
      expect(README).to.include(`| ${code} | \`${name}\` |`)
    }
  })
})
