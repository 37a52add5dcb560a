import { expect } from 'chai'
import { placeBorrower } from '../../../gateway/policy/borrower.ts'
import { type Differs, fields, policyOf } from './fixture.ts'

const MOBILE = '13800138000'
const UNNAMED = ',"canaryBorrower":'

// prettier-ignore
const PLACES: { name: string; request: string; begins: string; isSecret: boolean }[] = [
  { name: 'at a member',                 request: fields('$.a.b: { kind: mobile, mask: all }'),           begins: `{"a":{"b":"${MOBILE}"}${UNNAMED}`, isSecret: true },
  { name: 'in a list',                   request: fields('"$.a[*].b": { kind: mobile, drop: }'),            begins: `{"a":[{"b":"${MOBILE}"}]${UNNAMED}`, isSecret: true },
  { name: 'in a body that is a list',    request: fields('"$[*].b": { kind: mobile, tokenize: opaque }'),   begins: `[{"b":"${MOBILE}"}]`, isSecret: true },
  { name: 'below any name',              request: fields('$..b: { kind: mobile, drop: }'),                begins: `{"any":{"b":"${MOBILE}"}${UNNAMED}`, isSecret: true },
  { name: 'once where a list would be',  request: fields('$.a: { kind: mobile, drop: }, $.a.b: { kind: mobile, drop: }'), begins: `{"a":"${MOBILE}"${UNNAMED}`, isSecret: true },
  { name: 'nowhere without a kind',      request: fields('$.a: keep'),                                    begins: '{"canaryBorrower":', isSecret: true },
  { name: 'as no secret where it is kept', request: fields('$.a: { kind: mobile, keep: , reason: r }'),   begins: `{"a":"${MOBILE}"${UNNAMED}`, isSecret: false },
  { name: 'without the unnamed, where that is refused', request: '{ unnamed: refuse, fields: { $.a: { kind: mobile, drop: } } }', begins: `{"a":"${MOBILE}"}`, isSecret: true },
]

describe('placeBorrower', () => {
  for (const { name, request, begins, isSecret } of PLACES) {
    it(`places him ${name}`, () => {
      const differs: Differs = { request }
      const { body, secrets } = placeBorrower(policyOf(differs).request)
      expect(body.startsWith(begins), body).to.equal(true)
      expect(() => void JSON.parse(body)).to.not.throw()
      expect(secrets.includes(MOBILE)).to.equal(isSecret)
    })
  }
})
