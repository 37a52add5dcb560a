/** Long bodies of three formats, and the policies that they go by. @module */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTranscoder } from '../gateway/transform/charset.ts'

/** One kind of long body, and the policy for it. */
export interface LongBody {
  readonly name: string
  readonly path: string
  readonly policy: string
  readonly contentType: string
  /** Begins the body, repeats in it, and ends it; some ends count the blocks between them. */
  readonly first: (blocks: number) => Buffer
  readonly block: Buffer
  readonly last: (blocks: number) => Buffer
  /** In one block. */
  readonly rows: number
  /** What must be at the ends of what arrives, and what must not. */
  readonly wanted: readonly string[]
  readonly planted: readonly string[]
}

const ROWS_PER_BLOCK = 4000
const SURNAMES = '王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗'
const GIVEN = '小明建国丽华秀英志强雨桐子涵浩然思远文博佳怡'

/** Another number and another name in each row of a block: what is remembered of one helps no other. */
const mobileOf = (row: number) => `138${String((row * 7919 + 138_000) % 1e8).padStart(8, '0')}`
const nameOf = (row: number) =>
  SURNAMES.charAt(row % SURNAMES.length) +
  GIVEN.charAt(row % GIVEN.length) +
  GIVEN.charAt((row * 7) % GIVEN.length)
const nothing = () => Buffer.alloc(0)
const PLANTED = [mobileOf(0), mobileOf(ROWS_PER_BLOCK - 1)]

const SAMPLES: Readonly<Record<string, string>> = {
  ndjson: '[ { loan: L-1, secret: x } ]',
  csv: '"loan,secret\\nL-1,x\\n"',
  multipart: '{ loan: L-1, secret: x }',
}

function policy(name: string, body: string, fields: string): string {
  return `policy: stream-${name}
version: 1
title: { zh: 长报文, en: Long bodies }
from: sunrise-platform
to: harbour-bank
when: { method: POST, path: /stream/${name} }
purpose: credit-assessment
legal: { basis: separate-consent, pia: { id: PIA-1, date: 2026-03-02 } }
evidence: { custody: none, retain: 5y }
request:
  unnamed: drop
  ${body}
  fields:
${fields}
response: { unnamed: drop, fields: { $.none: keep } }
tests:
  - name: drops what is not named
    request: ${SAMPLES[name]}
    never: [ secret ]
`
}

const FIELDS = `    $[*].loan:   keep
    $[*].amount: keep
    $[*].due:    keep
    $[*].mobile: { kind: mobile, tokenize: opaque }
    $[*].name:   { kind: name, mask: surname }
`

const PARTS = `    $.loan:         keep
    $.mobile:       { kind: mobile, tokenize: opaque }
    $.file.content: keep
`

/** Rows of JSON. */
export function ndjson(): LongBody {
  const rows = Array.from({ length: ROWS_PER_BLOCK }, (_, i) => {
    const loan = `LN-2026-${i}`
    const note = 'ordinary row of a file that is reconciled daily'
    const known = `"loan":"${loan}","amount":"${i}.50","due":"2026-12-01","mobile":"${mobileOf(i)}"`
    return `{${known},"name":"${nameOf(i)}","branch":"海淀支行","note":"${note}"}\n`
  })
  return {
    name: 'NDJSON',
    path: '/stream/ndjson',
    policy: policy('ndjson', '', FIELDS),
    contentType: 'application/x-ndjson',
    first: nothing,
    block: Buffer.from(rows.join('')),
    last: nothing,
    rows: ROWS_PER_BLOCK,
    wanted: ['"loan":"LN-2026-0"', `"loan":"LN-2026-${ROWS_PER_BLOCK - 1}"`, 'tok_mobile'],
    planted: [...PLANTED, 'branch'],
  }
}

/** A table in GBK. */
export function csv(): LongBody {
  const rows = Array.from(
    { length: ROWS_PER_BLOCK },
    (_, i) =>
      `LN-2026-${i},${i}.50,2026-12-01,${mobileOf(i)},${nameOf(i)},海淀支行,"日终对账文件的一行，每日核对"\r\n`,
  )
  const { encode } = startTranscoder('gbk')
  return {
    name: 'CSV (GBK)',
    path: '/stream/csv',
    policy: policy('csv', 'body: { format: csv, charset: gbk }', FIELDS),
    contentType: 'text/csv; charset=gbk',
    first: () => encode(Buffer.from('loan,amount,due,mobile,name,branch,note\r\n')),
    block: encode(Buffer.from(rows.join(''))),
    last: nothing,
    rows: ROWS_PER_BLOCK,
    wanted: ['loan,amount,due,mobile,name', `LN-2026-${ROWS_PER_BLOCK - 1},`, 'tok_mobile'],
    planted: PLANTED,
  }
}

/** One photo of many megabytes behind two short fields: its bytes are as good as random. */
export function multipart(): LongBody {
  const part = (name: string, more = '') =>
    `--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`
  const file = `${part('file', '; filename="photos.bin"')}Content-Type: application/octet-stream\r\n\r\n`
  return {
    name: 'multipart',
    path: '/stream/multipart',
    policy: policy('multipart', '', PARTS),
    contentType: 'multipart/form-data; boundary=edge',
    first: () =>
      Buffer.from(`${part('loan')}\r\nLN-2026-1\r\n${part('mobile')}\r\n${mobileOf(0)}\r\n${file}`),
    block: randomBytes(600_000),
    last: () => Buffer.from('\r\n--edge--\r\n'),
    rows: 0,
    wanted: ['LN-2026-1', 'tok_mobile', '--edge--'],
    planted: PLANTED,
  }
}

/** The id of the policy of `disbursements`. */
export const DISBURSEMENTS = 'reconciliation-disbursement'

/** A reconciliation file in GB 18030, whose count and total are right. */
export function disbursements(): LongBody {
  const cents = (row: number) => 100_000 + ((row * 7919) % 9_000_000)
  const amount = (all: number) => `${Math.floor(all / 100)}.${String(all % 100).padStart(2, '0')}`
  const remarks = ['放款', 'ok', '按合同约定于当日划付', '', '首期放款，利率4.35']
  const rows = Array.from({ length: ROWS_PER_BLOCK }, (_, i) => {
    const no = String(i).padStart(9, '0')
    const account = `62220236${String((i * 104_729) % 1e8).padStart(8, '0')}998`
    const sums = `${amount(cents(i))}|${amount(cents(i * 3))}`
    return `CT${no}|LN${i}|TX${no}|DRAWDOWN|20261127|${sums}|${account}|${nameOf(i)}|${remarks[i % remarks.length]}\n`
  })
  const total = rows.reduce((sum, _, i) => sum + cents(i), 0)
  const { encode } = startTranscoder('gb18030')
  const ends = (text: string) => encode(Buffer.from(text))
  return {
    name: 'disbursements (GB 18030)',
    path: '/files/disbursements/20261127',
    policy: readFileSync(join(import.meta.dirname, `../policies/${DISBURSEMENTS}.yaml`), 'utf8'),
    contentType: 'text/plain; charset=gb18030',
    first: (blocks) => ends(`H|放款明细|20261127|${blocks * ROWS_PER_BLOCK}\n`),
    block: encode(Buffer.from(rows.join(''))),
    last: (blocks) => ends(`T|${blocks * ROWS_PER_BLOCK}|${amount(blocks * total)}\n`),
    rows: ROWS_PER_BLOCK,
    wanted: ['CT000000000|LN0|', `LN${ROWS_PER_BLOCK - 1}|`],
    planted: ['62220236'],
  }
}
