/** Writes what was measured into docs/performance.md, between the marks of its section. @module */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Round } from './harness.ts'
import { spread } from './harness.ts'

const DOCS = join(import.meta.dirname, '../docs')
const PAGE = join(DOCS, 'performance.md')

/** Replaces a section's text: what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. */
export function writeSection(name: string, text: string): void {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const page = readFileSync(PAGE, 'utf8')
  const [start, end] = [page.indexOf(open), page.indexOf(close)]
  if (start === -1 || end === -1) throw new Error(`docs/performance.md has no section ${name}`)
  writeFileSync(PAGE, `${page.slice(0, start)}${open}\n\n${text}\n\n${page.slice(end)}`)
}

/** Writes a picture beside the page. @returns the Markdown that shows it. */
export function writePicture(name: string, alt: string, svg: string): string {
  mkdirSync(join(DOCS, 'performance'), { recursive: true })
  writeFileSync(join(DOCS, 'performance', `${name}.svg`), svg)
  return `![${alt}](performance/${name}.svg)`
}

/** What the figures were measured on. */
export function machineText(): string {
  const [first] = cpus()
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0]
  const facts = [
    `${cpus().length} × ${first?.model.trim()}`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    `Linux ${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}`,
    `Node ${process.version}`,
    `load average ${load} at the end`,
    new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
  ]
  return `Measured on ${facts.join(', ')}.`
}

/** A Markdown table. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** `median (min–max)` of a figure. */
export function spreadText(
  rounds: readonly Round[] | undefined,
  figure: (round: Round) => number,
  digits = 0,
): string {
  const { median, min, max } = spread(rounds, figure)
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}
