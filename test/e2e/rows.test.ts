import { expect } from 'chai'
import { readFileSync, writeFileSync } from 'node:fs'
import { startTranscoder } from '../../gateway/transform/charset.ts'
import { rows, rowsPolicy, startTaker } from '../support/long.ts'
import { useRelay } from '../support/relay.ts'

const HOUSE = rowsPolicy(`body:
    format: csv
    charset: gbk
    head: { columns: [ mark, rows ], count: rows }
    trailer: { columns: [ mark, rows ], count: rows }`)
  .replace('policy: rows', 'policy: house')
  .replace('/rows', '/house')
  .replaceAll('$[*].', '$.rows[*].')
  .replace('fields:', 'fields:\n    $.head: keep\n    $.trailer: keep')
  .replace(
    /tests:.*/s,
    `tests:
  - name: the mobile number is a token
    request: "H,1\\nloan,mobile\\nL-1,13800138000\\nT,1\\n"
    never: [ "13800138000" ]
`,
  )

describe('one row of a long body, for a court', () => {
  const relay = useRelay(startTaker)

  before(async () => {
    relay.installation.addPolicy('rows.yaml', rowsPolicy())
    relay.installation.addPolicy('house.yaml', HOUSE)
    await relay.start({ limits: { BODY_BYTES_MAX: 4096 } })
  })

  /** Sends a file; the log has its record in the end. */
  async function send(path: string, type: string, file: Buffer): Promise<string> {
    const sending = await relay.sendLong({ 'content-type': type }, path)
    await sending.write(file)
    sending.end()
    const answer = await sending.answer()
    expect(answer.status, answer.body.toString()).to.equal(200)
    const rid = String(answer.headers['evidence-id'])
    await relay.recordOf(rid)
    return rid
  }

  async function show(rid: string, file: Buffer, more: readonly string[]) {
    const path = relay.inFolder('original')
    writeFileSync(path, file)
    const out = relay.inFolder('row.json')
    const exported = await relay.run(
      'evidence',
      'export',
      rid,
      '--file',
      path,
      '--out',
      out,
      ...more,
    )
    if (exported.code !== 0) return exported
    return { ...(await relay.verify(out)), out }
  }

  it('is shown from the file of the caller, and from that of the recipient', async () => {
    const file = Buffer.from(rows(300))
    const rid = await send('rows', 'application/x-ndjson', file)
    const came = await show(rid, file, ['--row', '118'])
    expect(came.code, came.stdout + came.stderr).to.equal(0)
    expect(came.stdout).to.match(/✓ row: row 118 of `request.received` .*\\"loan\\":\\"L-117\\"/)
    expect(came.stdout).to.not.include('L-116')
    const left = relay.recipient.taken.at(-1)?.body ?? Buffer.alloc(0)
    const went = await show(rid, left, ['--row', '118', '--tree', 'request.forwarded'])
    expect(went.code, went.stdout + went.stderr).to.equal(0)
    expect(went.stdout).to.match(/✓ row: row 118 of `request.forwarded`.*tok_mobile/)
  })

  it('is shown from either file when the policy dropped whole rows, those rows too', async () => {
    const notes = Array.from({ length: 20 }, (_, i) => `"aside ${i}"\n`)
    const lines = rows(100).split(/(?<=\n)/)
    const text = lines.map(
      (line, i) => (i % 5 === 1 ? (notes[Math.floor(i / 5)] ?? '') : '') + line,
    )
    const file = Buffer.from(text.join(''))
    const rid = await send('rows', 'application/x-ndjson', file)
    const dropped = await show(rid, file, ['--row', '2'])
    expect(dropped.stdout, dropped.stderr).to.match(/✓ row: row 2 of `request.received`.*aside 0/)
    const left = relay.recipient.taken.at(-1)?.body ?? Buffer.alloc(0)
    expect(left.toString()).to.not.include('aside')
    const went = await show(rid, left, ['--row', '2', '--tree', 'request.forwarded'])
    expect(went.stdout, went.stderr).to.match(/✓ row: row 2 of `request.forwarded`.*L-1\\"/)
    const beyond = await show(rid, left, ['--row', '101', '--tree', 'request.forwarded'])
    expect(beyond.stderr).to.include('the record has 100 rows, from 0, 20 were dropped')
  })

  it('is shown from a table in GBK with records around its rows', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `L-${i},"二\n行",13800138000\r\n`)
    const { encode } = startTranscoder('gbk')
    const text = `H,200\r\nloan,note,mobile\r\n${lines.join('')}T,200\r\n`
    const file = encode(Buffer.from(text))
    const rid = await send('house', 'text/csv; charset=gbk', file)
    const came = await show(rid, file, ['--row', '200'])
    expect(came.code, came.stdout + came.stderr).to.equal(0)
    expect(came.stdout).to.match(/✓ row: row 200 .*base64:/)
    const left = relay.recipient.taken.at(-1)?.body ?? Buffer.alloc(0)
    const went = await show(rid, left, ['--row', '1', '--tree', 'request.forwarded'])
    expect(went.code, went.stdout + went.stderr).to.equal(0)
  })

  // prettier-ignore
  const REFUSED: { name: string; file: (file: string) => string; more: string[]; detail: RegExp }[] = [
    { name: 'a file with another byte', file: (file) => file.replace('L-7"', 'L-8"'), more: ['--row', '1'],  detail: /not what the record commits to: it has 100 rows, the record 100/ },
    { name: 'a file that lacks a row',  file: (file) => file.slice(file.indexOf('\n') + 1), more: ['--row', '1'], detail: /it has 99 rows/ },
    { name: 'a row that is not there',  file: (file) => file, more: ['--row', '101'],                        detail: /100 rows/ },
    { name: 'rows of the answer',       file: (file) => file, more: ['--row', '1', '--tree', 'response.received'], detail: /no rows in/ },
    { name: 'a row 0',                  file: (file) => file, more: ['--row', '0'],                          detail: /from 1/ },
  ]
  it('is refused otherwise, saying why', async () => {
    const file = rows(100)
    const rid = await send('rows', 'application/x-ndjson', Buffer.from(file))
    for (const { name, file: change, more, detail } of REFUSED) {
      const { code, stderr } = await show(rid, Buffer.from(change(file)), more)
      expect(code, name).to.not.equal(0)
      expect(stderr, name).to.match(detail)
    }
  })

  it('fails verification when the file was changed afterwards', async () => {
    const file = Buffer.from(rows(100))
    const rid = await send('rows', 'application/x-ndjson', file)
    const good = await show(rid, file, ['--row', '9'])
    const out = 'out' in good ? good.out : ''
    const exported = JSON.parse(readFileSync(out, 'utf8')) as { rows: { row: string }[] }
    const [row] = exported.rows
    if (row === undefined) throw new Error('no row')
    row.row = Buffer.from('{"loan":"L-666"}').toString('base64url')
    writeFileSync(out, JSON.stringify(exported))
    const { code, stdout } = await relay.verify(out)
    expect(code).to.equal(1)
    expect(stdout)
      .to.match(/✗ row: row 9 .*root/)
      .and.not.include('L-666')
  })
})
