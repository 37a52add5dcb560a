/** The seq/prev chains of the instances: what makes a missing record visible. Pure but for its state. @module */
import { FIRST_PREV } from '../seal.ts'

/** `seq` of an instance's first record. */
const FIRST_SEQ = 1

/** The members of a record that its chain is made of. */
export interface ChainLink {
  readonly position: number
  readonly rid: string
  readonly instance: string
  readonly seq: number
  readonly prev: string
  readonly digest: string
}

interface Chain {
  next: number
  last: string
  /** Records that arrived before their predecessors. */
  readonly early: Map<number, ChainLink>
}

export interface Chains {
  readonly instances: Map<string, Chain>
  readonly rids: Set<string>
}

/** No records yet. */
export function newChains(): Chains {
  return { instances: new Map(), rids: new Set() }
}

/** Takes the next record in log order; returns a sentence when it contradicts the ones before. */
export function chainAppend({ instances, rids }: Chains, link: ChainLink): string | undefined {
  const { position, rid, instance, seq } = link
  if (rids.has(rid)) return `record ${position} has the id \`${rid}\` of an earlier one`
  rids.add(rid)
  const chain = instances.get(instance) ?? { next: FIRST_SEQ, last: FIRST_PREV, early: new Map() }
  instances.set(instance, chain)
  if (seq < chain.next || chain.early.has(seq)) {
    return `record ${position} repeats seq ${seq} of instance \`${instance}\``
  }
  chain.early.set(seq, link)
  for (let due = chain.early.get(chain.next); due !== undefined;) {
    if (due.prev !== chain.last) {
      return `record ${due.position} (seq ${due.seq} of instance \`${instance}\`) does not follow the one before it`
    }
    chain.early.delete(due.seq)
    chain.last = due.digest
    chain.next += 1
    due = chain.early.get(chain.next)
  }
  return undefined
}

/** At the end: a sentence when an instance has later records but not the next one. */
export function chainGaps({ instances }: Chains): string | undefined {
  for (const [instance, { next, early }] of instances) {
    if (early.size > 0) {
      return `seq ${next} of instance \`${instance}\` is missing, ${early.size} later ones are here`
    }
  }
  return undefined
}
