/** The reconciliation files of the policy library, as their own examples have them, through `sealgate file`. @module */
import { expect } from 'chai'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import type { FileReport } from '../../gateway/file/state.ts'
import { compareBody } from '../../gateway/policy/expectation.ts'
import { readPolicyFiles } from '../../gateway/policy/folder.ts'
import { loadKinds } from '../../gateway/policy/kinds-file.ts'
import { checkPolicies } from '../../gateway/policy/registry.ts'
import { leftOf } from '../../gateway/policy/run-tests.ts'
import { sampleMessage } from '../../gateway/policy/sample.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { leaksIn } from '../support/leak.ts'
import { createTestParty } from '../support/party.ts'
import { createFileBench, type FileBench } from './support.ts'

const report = createReport()
const kinds = loadKinds('policies', report)
const files = readPolicyFiles(['policies'], report)
const policies = (await checkPolicies(files, kinds === undefined ? {} : { kinds }, report))
  .map(({ policy }) => policy)
  .filter(({ id }) => id.startsWith('reconciliation-'))
if (report.errorCount > 0) throw new Error(renderReport(report, ['error']))

/** 放款、还款、还款计划、逾期、代偿、退款, and how their cells and characters are written. */
// prettier-ignore
const HOUSES: readonly (readonly [id: string, charset: string, delimiter: string, hasNames: boolean])[] = [
  ['reconciliation-compensation',   'gbk',     '|',    true],
  ['reconciliation-disbursement',   'gb18030', '|',    false],
  ['reconciliation-overdue',        'utf-8',   '\x01', true],
  ['reconciliation-refund',         'gb18030', '\x01', false],
  ['reconciliation-repayment',      'gbk',     '\x01', false],
  ['reconciliation-repayment-plan', 'utf-8',   '|',    true],
]

describe('sealgate file on the reconciliation files of the library', function () {
  this.timeout(60_000)
  let bench: FileBench
  before(async () => {
    bench = await createFileBench(async ({ folder, configFile }) => {
      const id = 'anchor-guarantee'
      const guarantor = await createTestParty(id)
      guarantor.writeKeys(join(folder, 'keys'))
      const auth = `auth: [ { jwt: { jwks: keys/${id}.jwks.json } } ]`
      const line = `  - { id: ${id}, role: guarantor, url: http://127.0.0.1:9, ${auth} }\n`
      appendFileSync(configFile, line)
    })
  })
  after(() => bench.close())

  it('are of every kind, in every form, with a good file and a file that lacks a row', () => {
    const found = policies.map(({ id, request: { body } }) => {
      const { columns, delimiter } = body?.csv ?? {}
      return [id, body?.charset, delimiter, columns === undefined]
    })
    expect(found.toSorted()).to.deep.equal(HOUSES)
    for (const { id, tests } of policies) {
      expect(tests.map(({ refused }) => refused ?? 'passes')).to.include.members(['passes', 'totals-wrong'], id) // prettier-ignore
      expect(tests.flatMap(({ never }) => never).length, id).to.be.at.least(2)
    }
  })

  const run = async (id: string, name: string, bytes: Buffer) => {
    const [input, output] = [join(bench.in, name), join(bench.out, name)]
    writeFileSync(input, bytes)
    const { code, stdout, stderr } = await bench.run(input, output, '--route', id, '--companion', 'none') // prettier-ignore
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as FileReport
    return { code, stderr, told, left: existsSync(output) ? readFileSync(output) : undefined }
  }

  for (const { id, request, tests } of policies) {
    for (const [index, test] of tests.entries()) {
      it(`${id}: ${test.name}`, async () => {
        if (test.request === undefined) throw new Error('the example sends no file')
        const { body, contentType } = sampleMessage(test.request, request.body, () => '')
        const { code, stderr, told, left } = await run(id, `${id}-${index}.txt`, body)
        expect(told.policy).to.equal(id)
        if (test.refused !== undefined) {
          expect([code, told.result, left], stderr).to.deep.equal([1, 'refused', undefined])
          expect(`${told.problem}: ${told.detail}`).to.include(test.refused)
          return
        }
        expect([code, told.result], `${stderr}${told.detail}`).to.deep.equal([0, 'delivered'])
        if (test.relayed === undefined || left === undefined) throw new Error('nothing to compare')
        const arrived = leftOf(left, readFormat(contentType, request.body))
        const differences: string[] = []
        compareBody(test.relayed, arrived, ({ line }, message) => differences.push(`${line}: ${message}`)) // prettier-ignore
        expect(differences).to.deep.equal([])
        expect(leaksIn(arrived.text, [...test.never])).to.deep.equal([])
      })
    }
  }
})
