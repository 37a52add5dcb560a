import { expect } from 'chai'
import { createReport } from '../../../base/diagnostic.ts'
import { parsePolicy } from '../../../gateway/policy/parse.ts'
import { createMatch, selectActive } from '../../../gateway/policy/routes.ts'

interface Route {
  readonly id: string
  readonly version?: number
  readonly path?: string
  readonly method?: string
  readonly mode?: 'enforce' | 'shadow'
}

function policyOf({ id, version = 1, path = '/x', method = 'POST', mode = 'enforce' }: Route) {
  const file = `${id}-${version}-${mode}.yaml`
  const text = `policy: ${id}
version: ${version}
title: { zh: 甲, en: A }
from: a
to: b
when: { method: ${method}, path: "${path}" }
purpose: q
mode: ${mode}
legal: { basis: contract }
request: {}
tests: [ { name: t, request: {}, relayed: {} } ]
`
  const policy = parsePolicy(createReport(), file, text, { transforms: new Set(['keep']) })
  if (policy === undefined) throw new Error(`the fixture ${file} does not parse`)
  return { policy }
}

function select(...routes: Route[]) {
  const report = createReport()
  const active = selectActive(
    routes.map((route) => policyOf(route).policy),
    report,
  )
  return {
    active: active.map(({ id, version, mode }) => `${id} ${version} ${mode}`),
    errors: report.diagnostics.map(({ at, message }) => `${at.file} ${message}`),
  }
}

describe('selectActive', () => {
  it('takes the highest version of each policy', () => {
    const { active, errors } = select(
      { id: 'p', version: 2 },
      { id: 'p', version: 10 },
      { id: 'p' },
    )
    expect(active).to.deep.equal(['p 10 enforce'])
    expect(errors).to.deep.equal([])
  })

  it('keeps a shadow beside the enforced version until it is overtaken', () => {
    const shadow: Route = { id: 'p', version: 3, mode: 'shadow' }
    expect(select({ id: 'p', version: 2 }, shadow).active).to.deep.equal([
      'p 2 enforce',
      'p 3 shadow',
    ])
    expect(select({ id: 'p', version: 4 }, shadow).active).to.deep.equal(['p 4 enforce'])
  })

  // prettier-ignore
  const CONFLICTS: { name: string; routes: Route[]; want: string }[] = [
    { name: 'one version in two files',       routes: [{ id: 'p' }, { id: 'p' }], want: 'p-1-enforce.yaml version 1 of `p` stands in two files' },
    { name: 'two policies on one route',      routes: [{ id: 'p' }, { id: 'q' }], want: 'q-1-enforce.yaml the policies `p` and `q` have the same route' },
    { name: 'two names for one {segment}',    routes: [{ id: 'p', path: '/x/{a}' }, { id: 'q', path: '/x/{b}' }], want: 'q-1-enforce.yaml the policies `p` and `q` have the same route' },
    { name: 'two shadows on one route',       routes: [{ id: 'p', mode: 'shadow' }, { id: 'q', mode: 'shadow' }], want: 'q-1-shadow.yaml the policies `p` and `q` have the same route' },
  ]
  for (const { name, routes, want } of CONFLICTS) {
    it(`refuses ${name}`, () => expect(select(...routes).errors).to.deep.equal([want]))
  }

  it('lets an old version share a route that its successor left', () => {
    expect(
      select({ id: 'p' }, { id: 'p', version: 2, path: '/y' }, { id: 'q' }).errors,
    ).to.deep.equal([])
  })
})

describe('createMatch', () => {
  const match = createMatch(
    [
      { id: 'all', path: '/{a}/{b}' },
      { id: 'left', path: '/x/{b}' },
      { id: 'right', path: '/{a}/y' },
      { id: 'both', path: '/x/y' },
      { id: 'read', path: '/x/y', method: 'GET' },
      { id: 'left', version: 2, path: '/x/{c}', mode: 'shadow' as const },
    ].map(policyOf),
  )

  // prettier-ignore
  const CASES: { path: string; method?: string; want: string | undefined; parameters?: object }[] = [
    { path: '/x/y',                    want: 'both',  parameters: {} },
    { path: '/x/y',    method: 'GET',  want: 'read' },
    { path: '/x/z',                    want: 'left',  parameters: { b: 'z' } },
    { path: '/w/y',                    want: 'right', parameters: { a: 'w' } },
    { path: '/w/z%2F', want: 'all',    parameters: { a: 'w', b: 'z%2F' } },
    { path: '/x/y',    method: 'PUT',  want: undefined },
    { path: '/x/y',    method: 'post', want: undefined },
    { path: '/x',                      want: undefined },
    { path: '/x/',                     want: undefined },
    { path: '/x/y/',                   want: undefined },
    { path: '//y',                     want: undefined },
    { path: '/w/..',                   want: undefined },
    { path: '/w/%2e%2E',               want: undefined },
    { path: '/w/.',                    want: undefined },
    { path: '/X/y/z',                  want: undefined },
    { path: '',                        want: undefined },
  ]
  for (const { path, method = 'POST', want, parameters } of CASES) {
    it(`${method} ${path} takes ${want ?? 'no route'}`, () => {
      const found = match('a', 'b', method, path)
      expect(found?.enforced.policy.id).to.equal(want)
      if (parameters) expect(Object.fromEntries(found?.parameters ?? [])).to.deep.equal(parameters)
    })
  }

  it('knows the parties', () => expect(match('b', 'a', 'POST', '/x/y')).to.equal(undefined))
  it('returns the shadow beside the enforced version', () => {
    expect(match('a', 'b', 'POST', '/x/z')?.shadow?.policy.version).to.equal(2)
    expect(match('a', 'b', 'POST', '/x/y')?.shadow?.policy.version).to.equal(2)
    expect(match('a', 'b', 'POST', '/w/z')?.shadow).to.equal(undefined)
  })
})
