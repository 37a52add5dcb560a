/** What a dossier says of the chains that its records come from: numbers, predecessors, gaps. Portable. @module */
import { FIRST_PREV, type ReadRecord, recordDigest } from '../seal.ts'
import { tryRecord } from './catalogue.ts'
import type { Findings } from './findings.ts'
import type { Parts } from './parts.ts'

interface Link {
  readonly payload: ReadRecord['payload']
  readonly digest: string
}

/** @param complete whether the dossier says that it leaves out no record between first and last. */
export function checkOrder(parts: Parts, findings: Findings, complete: boolean): void {
  const links = parts.records.flatMap(({ rid, text }): Link[] => {
    const payload = tryRecord(text)?.payload
    if (payload !== undefined && payload.rid !== rid) {
      findings.fail('order', `the record in it is ${payload.rid}`, `records/${rid}.jws`)
    }
    return payload === undefined ? [] : [{ payload, digest: recordDigest(text) }]
  })
  for (const [instance, chain] of Map.groupBy(links, ({ payload }) => payload.instance)) {
    checkChain(instance, chain, findings, complete)
  }
}

function checkChain(
  instance: string,
  chain: readonly Link[],
  findings: Findings,
  complete: boolean,
): void {
  const sorted = chain.toSorted((a, b) => a.payload.seq - b.payload.seq)
  const gaps: string[] = []
  const wrong: string[] = []
  for (const [index, { payload }] of sorted.entries()) {
    const { seq, prev } = payload
    const before = sorted[index - 1]
    const last = before?.payload.seq ?? Number.NaN
    if (seq === last) wrong.push(`two records have number ${seq}`)
    else if (seq === last + 1 && prev !== before?.digest)
      wrong.push(`record ${seq} does not follow record ${last}`) // prettier-ignore
    else if (seq > last + 1)
      gaps.push(last + 2 === seq ? `${seq - 1}` : `${last + 1} to ${seq - 1}`)
    if (seq === 1 && prev !== FIRST_PREV) wrong.push('record 1 names a record before it')
  }
  const name = `instance ${instance}, records ${sorted[0]?.payload.seq} to ${sorted.at(-1)?.payload.seq}`
  for (const text of wrong) findings.fail('order', `${name}: ${text}`)
  if (complete && gaps.length > 0) {
    findings.fail('order', `${name}: left out although it says to be complete: ${gaps.join(', ')}`)
  } else if (wrong.length === 0) {
    const left =
      gaps.length === 0
        ? 'none is left out between them'
        : `others, not in this dossier: ${gaps.join(', ')}`
    findings.pass('order', `${name}, follow each other; ${left}`)
  }
}
