/** The language reference says nothing that the language does not do. @module */
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { loadKinds } from '../../gateway/policy/kinds-file.ts'
import { LINTS } from '../../gateway/policy/lint.ts'
import { MISTAKES } from '../../gateway/policy/mistakes.ts'
import { LEGAL_BASES } from '../../gateway/policy/parse.ts'
import { checkPolicies } from '../../gateway/policy/registry.ts'
import { createRehearsal } from '../../gateway/policy/rehearsal.ts'
import { compileRoute } from '../../gateway/transform/compile.ts'
import { rewriteBody } from '../../gateway/transform/rewrite.ts'

const README = readFileSync('policies/README.md', 'utf8')
const KINDS = loadKinds('policies', createReport())
const blocks = (language: string) =>
  [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, text = '']) =>
    tag === language ? [text] : [],
  )
const WHOLE = blocks('yaml').filter((text) => text.startsWith('policy:'))
const PARTS = blocks('yaml').filter((text) => text.startsWith('fields:'))

/** `$.name: { … }   # before → after` */
const EXAMPLES = [...(PARTS[1] ?? '').matchAll(/^ {2}\$\.(\w+):.* # (\S+) → (\S+)$/gm)]

/** The whole policy with these `fields` and no tests of its own. */
function policyWith(part: string): string {
  const indented = part.replace(/^/gm, '  ').trimEnd()
  return (WHOLE[0] ?? '')
    .replace(/^request:[\s\S]*?^response:/m, `request:\n${indented}\nresponse:`)
    .replace(/^tests:[\s\S]*/m, 'tests: [ { name: t, request: {}, relayed: {} } ]\n')
    .replace('{applicationId}', 'x')
}

async function check(text: string) {
  const report = createReport()
  const checked = await checkPolicies(
    [{ file: 'limit-query.yaml', text }],
    KINDS === undefined ? {} : { kinds: KINDS },
    report,
  )
  return { checked, rendered: renderReport(report), errors: renderReport(report, ['error']) }
}

describe('policies/README.md', () => {
  it('shows a whole policy that loads, passes its tests and has no warnings', async () => {
    expect(WHOLE).to.have.length(1)
    const { checked, rendered } = await check(WHOLE[0] ?? '')
    expect(rendered).to.equal('')
    expect(checked[0]?.outcomes).to.have.length(4)
  })

  it('shows rules that load', async () => {
    expect(PARTS).to.have.length(2)
    for (const part of PARTS) {
      expect((await check(policyWith(part))).errors).to.equal('')
    }
  })

  for (const [, name = '', from = '', to = ''] of EXAMPLES) {
    it(`shows what becomes of a value: ${name}, ${from} → ${to}`, async () => {
      const { checked } = await check(policyWith(PARTS[1] ?? ''))
      const policy = checked[0]?.policy
      if (policy === undefined) throw new Error('the block does not load')
      const route = compileRoute(policy, createRehearsal(KINDS), (_at, message) => {
        throw new Error(message)
      })
      const body = Buffer.from(JSON.stringify({ applicationId: 'A-1', [name]: from }))
      const { bytes } = await rewriteBody(route.request, body)
      const got = (JSON.parse(bytes.toString()) as Record<string, string>)[name] ?? ''
      if (to.endsWith('…')) expect(got.startsWith(to.slice(0, -1)), got).to.equal(true)
      else expect(got).to.equal(to)
    })
  }

  it('shows the message that a mistake gets', async () => {
    const [message = ''] = blocks('text')
    const { rendered } = await check(
      (WHOLE[0] ?? '').replace('kind: mobile, tokenize', 'kind: mobile, tokenise'),
    )
    expect(rendered).to.include(message)
  })

  it('lists every transform, legal basis and lint', () => {
    const missing = [...createRehearsal(KINDS).keys()].filter(
      (name) => !README.includes(`| \`${name}`),
    )
    expect(missing).to.deep.equal([])
    expect(LEGAL_BASES.filter((basis) => !README.includes(`\`${basis}\``))).to.deep.equal([])
    for (const [code, text] of Object.entries({ ...MISTAKES, ...LINTS }))
      expect(README).to.include(`| ${code} | ${text}`)
  })
})
