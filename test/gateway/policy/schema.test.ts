import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { createReport } from '../../../base/diagnostic.ts'
import { parsePolicy } from '../../../gateway/policy/parse.ts'
import { loadKinds } from '../../../gateway/policy/kinds-file.ts'
import { createRehearsal } from '../../../gateway/policy/rehearsal.ts'
import { policySchema, type Schema } from '../../../gateway/policy/schema.ts'
import { policyText, TRANSFORMS } from './fixture.ts'

const KINDS = loadKinds('policies', createReport())
const SCHEMA = policySchema({
  transforms: createRehearsal(KINDS).keys(),
  kinds: KINDS?.all.map(({ id }) => id) ?? [],
})
const at = (...path: string[]): Schema =>
  path.reduce<Schema>((node, name) => node[name] as Schema, SCHEMA)

/** The keys that the parser offers when it meets an unknown one. */
function known(text: string): string[] {
  const report = createReport()
  parsePolicy(report, 'p.yaml', text, { transforms: TRANSFORMS })
  const help = report.diagnostics.find(({ message }) => message.includes('`zzzzzzzz`'))?.help ?? ''
  return [...help.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).toSorted()
}

// prettier-ignore
const PLACES: { name: string; text: string; schema: Schema }[] = [
  { name: 'the policy',   text: `${policyText()}zzzzzzzz: 1\n`,                            schema: at('properties') },
  { name: '`title`',      text: policyText().replace('zh: 甲', 'zh: 甲, zzzzzzzz: 1'),      schema: at('properties', 'title', 'properties') },
  { name: '`when`',       text: policyText().replace('path: /x', 'path: /x, zzzzzzzz: 1'), schema: at('properties', 'when', 'properties') },
  { name: '`legal`',      text: policyText({ legal: '{ basis: contract, zzzzzzzz: 1 }' }), schema: at('properties', 'legal', 'properties') },
  { name: '`evidence`',   text: policyText({ frame: 'evidence: { zzzzzzzz: 1 }' }),        schema: at('properties', 'evidence', 'properties') },
  { name: 'a direction',  text: policyText({ request: '{ zzzzzzzz: 1 }' }),                schema: at('$defs', 'direction', 'properties') },
  { name: 'a test',       text: policyText({ tests: '[ { name: t, request: {}, zzzzzzzz: 1 } ]' }), schema: at('$defs', 'test', 'properties') },
]

describe('policySchema', () => {
  for (const { name, text, schema } of PLACES) {
    it(`knows the keys of ${name} that the parser knows`, () => {
      expect(Object.keys(schema).toSorted()).to.deep.equal(known(text))
    })
  }

  it('describes every key in Chinese and English', () => {
    const silent = Object.entries(at('properties')).filter(([, value]) => {
      const { description = '', $ref } = value as { description?: string; $ref?: string }
      return $ref === undefined && !/^.*\p{Script=Han}.*\n.*[a-z]/u.test(description)
    })
    expect(silent).to.deep.equal([])
  })

  it('is the file that stands beside the policies', () => {
    const file: unknown = JSON.parse(readFileSync('policies/policy.schema.json', 'utf8'))
    expect(file, 'run `sealgate policy schema > policies/policy.schema.json`').to.deep.equal(SCHEMA)
  })
})
