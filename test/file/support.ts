/** An installation that runs, a policy for rows, drop folders, and the command on them. @module */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInstallation, type Installation } from '../support/installation.ts'
import { type GatewayProcess, runCommand, spawnGateway } from '../support/process.ts'

/** Everything that the tests of files need. */
export interface FileBench {
  readonly installation: Installation
  readonly gateway: GatewayProcess
  readonly in: string
  readonly out: string
  /** Writes an input and its `.md5`. @param md5 another digest than its own. */
  put(name: string, text: string, md5?: string): string
  read(folder: 'in' | 'out', name: string): string
  names(folder: 'in' | 'out', below?: string): readonly string[]
  /** Arguments of the command. */
  readonly args: (input: string, output: string, ...more: readonly string[]) => readonly string[]
  run(input: string, output: string, ...more: readonly string[]): ReturnType<typeof runCommand>
  /** What the admin listener answers: a text, or JSON below `/api`. */
  ask(path: string): Promise<unknown>
  close(): Promise<void>
}

/** Bank → platform: repayments of a day, numbers as tokens. */
export const POLICY = `policy: repayments
version: 1
title: { zh: 还款明细, en: Repayments }
from: harbour-bank
to: sunrise-platform
when: { method: PUT, path: /reconciliation/repayments }
purpose: reconciliation
legal: { basis: contract, pia: { id: PIA-1, date: 2026-03-02 } }
request:
  body:
    format: csv
    charset: gbk
    delimiter: "|"
    quote: none
    columns: [ repayNo, name, mobile, amount ]
    head: { columns: [ mark, day, rows ], count: rows }
    trailer: { columns: [ mark, rows, total ], count: rows, totals: { total: amount } }
  unnamed: refuse
  fields:
    $.head.mark: keep
    $.head.day: keep
    $.head.rows: keep
    $.rows[*].repayNo: keep
    $.rows[*].name: { kind: name, mask: surname }
    $.rows[*].mobile: { kind: mobile, tokenize: opaque }
    $.rows[*].amount: keep
    $.trailer.mark: keep
    $.trailer.rows: keep
    $.trailer.total: keep
tests:
  - name: the platform sees a token
    request: "H|20261127|1\\nR1|王小明|13800138000|1.10\\nT|1|1.10\\n"
    relayed:
      head: { mark: H, day: "20261127", rows: "1" }
      rows: [ { repayNo: R1, name: 王**, mobile: { token: mobile }, amount: "1.10" } ]
      trailer: { mark: T, rows: "1", total: "1.10" }
    never: [ "13800138000", 小明 ]
`

/** Starts a gateway, and makes the folders. @param prepare changes the installation before. */
export async function createFileBench(
  prepare: (installation: Installation) => Promise<void> | void = () => {},
): Promise<FileBench> {
  const installation = await createInstallation('http://127.0.0.1:9', 'http://127.0.0.1:9')
  installation.addPolicy('repayments.yaml', POLICY)
  await prepare(installation)
  const gateway = await spawnGateway(installation.configFile)
  const folders = { in: join(installation.folder, 'in'), out: join(installation.folder, 'out') }
  for (const folder of Object.values(folders)) mkdirSync(folder)
  const args = (input: string, output: string, ...more: readonly string[]) => [
    ...['file', input, output, '--route', 'repayments'],
    ...['--admin', gateway.adminUrl, '--config', installation.configFile, ...more],
  ]
  return {
    installation,
    gateway,
    ...folders,
    args,
    put: (name, text, md5) => {
      const path = join(folders.in, name)
      const bytes = toGbk(text)
      writeFileSync(path, bytes)
      writeFileSync(`${path}.md5`, `${md5 ?? md5Of(bytes)}  ${name}\n`)
      return path
    },
    read: (folder, name) =>
      new TextDecoder('gbk').decode(readFileSync(join(folders[folder], name))),
    names: (folder, below = '') => {
      const path = join(folders[folder], below)
      return existsSync(path) ? readdirSync(path).toSorted() : []
    },
    run: (input, output, ...more) => runCommand(args(input, output, ...more)),
    ask: async (path) => {
      const secret = readFileSync(join(installation.folder, 'data/keys/admin.secret'), 'utf8')
      const headers = { authorization: `Bearer ${secret.trim()}` }
      const answer = await fetch(new URL(path, gateway.adminUrl), { headers })
      return path.startsWith('/api') ? await answer.json() : await answer.text()
    },
    close: async () => {
      await gateway.kill('SIGTERM')
      installation.remove()
    },
  }
}

/** Lower-case hex. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** A file of a day: head, rows, trailer. Numbers and names in it may not leave. */
export function fileOf(count: number, more: readonly string[] = []): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const mobile = 18657103389 + (index % 100)
    return `R${index + 1}|欧阳建国|${mobile}|1.10`
  })
  const total = (count * 1.1).toFixed(2)
  const lines = [`H|20261127|${count + more.length}`, ...rows, ...more]
  return [...lines, `T|${count + more.length}|${total}`, ''].join('\n')
}

/** The characters of these files in GBK; node only decodes it. */
export function toGbk(text: string): Buffer {
  const known = new Map<string, Buffer>()
  for (const [hexadecimal, char] of [
    ['c5b7', '欧'],
    ['d1f4', '阳'],
    ['bda8', '建'],
    ['b9fa', '国'],
  ] as const)
    known.set(char, Buffer.from(hexadecimal, 'hex'))
  return Buffer.concat([...text].map((char) => known.get(char) ?? Buffer.from(char)))
}
