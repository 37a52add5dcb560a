/** The links between the logs of a line: a log's first leaf fixes the end of the log before. Portable. @module */
import { toBase64url } from '../../base/base64url.ts'
import { sha256 } from '../crypto.ts'
import { parseCheckpoint, type TreeHead } from '../log/checkpoint.ts'
import { parseLeaf } from '../log/entry.ts'
import { compareNames, halfYear, isLogName } from '../log/line-name.ts'
import { leafHash, verifyInclusion } from '../log/merkle.ts'
import { parseProof } from '../log/proof.ts'
import { isTurn } from '../log/turn.ts'
import type { Findings } from './findings.ts'
import { type Parts, proofName, type RecordText } from './parts.ts'

/** A checkpoint that was read. */
export interface Head extends TreeHead {
  readonly id: string
  readonly text: string
}

/** Checks that each log of a line is linked to the one before it. */
export function checkTurns(parts: Parts, heads: readonly Head[], findings: Findings): void {
  const links = parts.leaves.flatMap((leaf) => findLink(parts, heads, leaf, findings) ?? [])
  const logs = Map.groupBy(heads, ({ origin }) => origin)
  for (const line of Map.groupBy([...logs.keys()].filter(isInLine), lineOf).values()) {
    const names = line.toSorted((a, b) => compareNames(nameOf(a), nameOf(b)))
    for (const [index, origin] of names.slice(1).entries()) {
      const before = names[index] ?? ''
      const last = links.find(({ from, to }) => from.origin === before && to === origin)?.from
      const sizes = (logs.get(before) ?? []).map(({ size }) => size)
      const text = `log \`${origin}\` follows log \`${before}\``
      if (last === undefined) {
        const restored = halfYear(nameOf(before)) === halfYear(nameOf(origin))
        if (restored)
          findings.absent('consistency', `nothing shows that ${text}, which could not go on`)
        else findings.fail('consistency', `nothing shows that ${text}`)
      } else if (Math.max(...sizes) > last.size) {
        findings.fail('consistency', `${text}, but from its first ${last.size} records, and here are more`) // prettier-ignore
      } else
        findings.pass(
          'consistency',
          `${text}: its first leaf fixes the end of ${last.size} records`,
        )
    }
  }
}

/** Which checkpoint a leaf fixes, proven as the first one of another log; says so when it is wrong. */
function findLink(
  { proofs }: Parts,
  heads: readonly Head[],
  { rid, text }: RecordText,
  { covered, fail }: Findings,
): { readonly from: Head; readonly to: string } | undefined {
  const leaf = parseLeaf(text)
  if (leaf === undefined || !isTurn(leaf.kind) || leaf.rid !== rid) return undefined // No check covers it.
  const from = heads.find((head) => toBase64url(sha256(head.text)) === leaf.digest)
  const proof = proofs.find((each) => each.rid === rid)
  const to = proof === undefined ? undefined : firstOf(proof.text, text)
  if (from === undefined || proof === undefined || to === undefined) {
    fail('consistency', 'it does not show which log follows which', `leaves/${rid}.txt`)
    return undefined
  }
  covered.add(`leaves/${rid}.txt`)
  covered.add(proofName(proof.checkpoint, rid))
  // The leaf fixes it to the byte.
  covered.add(`checkpoints/${from.id}.note`)
  return { from, to }
}

/** The log whose first leaf it is. */
function firstOf(proof: string, leaf: string): string | undefined {
  try {
    const { index, hashes, checkpoint } = parseProof(proof)
    const { size, root, origin } = parseCheckpoint(checkpoint)
    const good = index === 0 && verifyInclusion(0, size, leafHash(Buffer.from(leaf)), root, hashes)
    return good ? origin : undefined
  } catch {
    return undefined // No proof: said by who asks.
  }
}

function isInLine(origin: string): boolean {
  return isLogName(nameOf(origin))
}

function nameOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1)
}

function lineOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf('/'))
}
