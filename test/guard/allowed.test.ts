import { expect } from 'chai'
import { allowedBy } from '../../gateway/guard/allowed.ts'
import type { Direction, Path, Rule } from '../../gateway/policy/policy.ts'

const rule = (path: Path, transform: string, kind?: string, parameter?: string): Rule => ({
  id: 'R1',
  text: '$',
  path,
  action: { transform, with: parameter === undefined ? {} : { [transform]: parameter } },
  ...(kind === undefined ? {} : { kind }),
  at: { file: 'p.yaml', line: 1, column: 1 },
})
const direction = (part: Partial<Direction>): Direction => ({
  unnamed: 'drop',
  headers: [],
  query: [],
  pathParameters: [],
  fields: [],
  ...part,
})
const name = (name: string) => ({ step: 'name', name }) as const

// prettier-ignore
const CASES: { name: string; direction: Direction; want: Record<string, string[]> }[] = [
  { name: 'nothing for a bare keep',       direction: direction({ fields: [rule([name('a')], 'keep')] }),                                   want: {} },
  { name: 'nothing for a token',           direction: direction({ fields: [rule([name('a')], 'tokenize', 'mobile')] }),                     want: {} },
  { name: 'a JWE where one is written',    direction: direction({ fields: [rule([name('a'), name('idNo')], 'encrypt', 'resident-id', 'recipient')] }), want: { '(encrypted)': ['body:idNo'] } },
  { name: 'nothing for what a key of the domain encrypts', direction: direction({ fields: [rule([name('a')], 'encrypt', 'resident-id', 'deterministic')] }), want: {} },
  { name: 'the member that is kept',       direction: direction({ fields: [rule([name('a'), name('m')], 'keep', 'mobile')] }),              want: { mobile: ['body:m'] } },
  { name: 'the member that is revealed',   direction: direction({ fields: [rule([name('m')], 'reveal', undefined, 'mobile')] }),            want: { mobile: ['body:m'] } },
  { name: 'the array of an element',       direction: direction({ fields: [rule([name('m'), { step: 'index', index: 0 }], 'keep', 'mobile')] }), want: { mobile: ['body:m'] } },
  { name: 'anywhere for a wildcard',       direction: direction({ fields: [rule([name('m'), { step: 'wildcard' }], 'keep', 'mobile')] }),   want: { mobile: ['body:*'] } },
  { name: 'a descendant by its name',      direction: direction({ fields: [rule([{ step: 'descendant', of: name('m') }], 'keep', 'mobile')] }), want: { mobile: ['body:m'] } },
  { name: 'query, header and path apart',  direction: direction({ query: [rule([name('q')], 'keep', 'mobile')], headers: [rule([name('x-h')], 'keep', 'email')], pathParameters: [rule([name('id')], 'keep', 'mobile')] }), want: { mobile: ['query:q', 'path'], email: ['header:x-h'] } },
]

describe('allowedBy', () => {
  for (const { name, direction, want } of CASES) {
    it(`allows ${name}`, () => {
      const allowed = Object.fromEntries(
        [...allowedBy(direction)].map(([kind, places]) => [kind, [...places]]),
      )
      expect(allowed).to.deep.equal(want)
    })
  }
})
