/** The schema of the policy language, as an editor's validator understands it. @module */
import { expect } from 'chai'
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const PYTHON = '/usr/bin/python3'
/** Prints a line for each mistake of each document. */
const VALIDATE = `
import json, jsonschema
schema = json.load(open('schema.json'))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name, policy in json.load(open('policies.json')):
    for error in validator.iter_errors(policy):
        print(name, '/'.join(str(step) for step in error.absolute_path))
`

describeForeign('python3-jsonschema', [PYTHON, '-c', 'import jsonschema'], () => {
  const schema = readFileSync('policies/policy.schema.json', 'utf8')
  const files = readdirSync('policies').filter((name) => /^(?!kinds).*\.yaml$/.test(name))
  const read = (name: string): Record<string, unknown> =>
    parse(readFileSync(`policies/${name}`, 'utf8')) as Record<string, unknown>

  function validate(policies: readonly (readonly [string, unknown])[]): string {
    const folder = makeFolder({
      'schema.json': schema,
      'policies.json': JSON.stringify(policies),
      'validate.py': VALIDATE,
    })
    try {
      return runTool(PYTHON, ['validate.py'], folder.path).text
    } finally {
      folder.remove()
    }
  }

  it('finds no mistake in any policy of the library', () => {
    expect(files.length).to.be.greaterThan(16)
    expect(validate(files.map((name) => [name, read(name)]))).to.equal('')
  })

  // prettier-ignore
  const MISTAKES: { name: string; change: Record<string, unknown>; at: string }[] = [
    { name: 'an unknown key',       change: { purpsoe: 'lending' },                          at: '' },
    { name: 'an unknown transform', change: { request: { fields: { '$.a': 'kep' } } },       at: 'request/fields/$.a' },
    { name: 'an unknown kind',      change: { request: { fields: { '$.a': { kind: 'mobil', mask: 'all' } } } }, at: 'request/fields/$.a' },
    { name: 'an unknown basis',     change: { legal: { basis: 'contrct' } },                 at: 'legal/basis' },
    { name: 'a version of text',    change: { version: 'one' },                              at: 'version' },
  ]
  for (const { name, change, at } of MISTAKES) {
    it(`finds ${name}, where it stands`, () => {
      const wrong = { ...read('overdue.yaml'), ...change }
      expect(validate([['wrong', wrong]])).to.include(`wrong ${at}`)
    })
  }
})
