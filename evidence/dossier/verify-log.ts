/** What a dossier says of the log: one history behind all of its checkpoints. Portable. @module */
import { parseCheckpoint } from '../log/checkpoint.ts'
import { keysOf } from '../log/line-name.ts'
import { verifyConsistency } from '../log/merkle.ts'
import { parseVerifier } from '../log/note.ts'
import { parseProof } from '../log/proof.ts'
import { parseRequest } from '../log/witness.ts'
import type { Trust } from '../verify-trust.ts'
import { explain, type Findings } from './findings.ts'
import { keyName, type Parts, proofName } from './parts.ts'
import { checkTurns, type Head } from './verify-turns.ts'

/** Checks that proofs hold the checkpoints that they name, and that each checkpoint extends the one before. */
export function checkLog(parts: Parts, findings: Findings, trust: Trust | undefined): void {
  const texts = new Map(parts.checkpoints.map(({ id, text }) => [id, text]))
  for (const { checkpoint, rid, text } of parts.proofs) {
    if (holds(text, texts.get(checkpoint))) continue
    findings.fail('inclusion', 'it holds another checkpoint', proofName(checkpoint, rid))
  }
  const heads: Head[] = []
  for (const { id, text } of parts.checkpoints) {
    try {
      heads.push({ id, text, ...parseCheckpoint(text) })
    } catch (error) {
      findings.fail('checkpoint', explain(error), `checkpoints/${id}.note`)
    }
  }
  for (const log of Map.groupBy(heads, ({ origin }) => origin).values()) {
    const sorted = log.toSorted((a, b) => a.size - b.size || (a.id < b.id ? -1 : 1))
    for (const [index, head] of sorted.entries()) {
      const next = sorted[index + 1]
      if (next !== undefined) checkExtension(parts, head, next, findings)
    }
  }
  checkTurns(parts, heads, findings)
  coverKeys(parts, heads, findings, trust)
}

function holds(proof: string, checkpoint: string | undefined): boolean {
  try {
    return parseProof(proof).checkpoint === checkpoint
  } catch {
    return true // No proof at all: the record's own checks say so.
  }
}

function checkExtension(parts: Parts, from: Head, to: Head, findings: Findings): void {
  const text = `the checkpoint of ${to.size} records extends the one of ${from.size}`
  if (from.size === to.size) {
    if (from.root.equals(to.root)) findings.pass('consistency', `two checkpoints of ${to.size} records have one root`) // prettier-ignore
    else findings.fail('consistency', `two checkpoints of ${to.size} records have different roots: a split view`) // prettier-ignore
    return
  }
  const proof = parts.consistency.find((each) => each.from === from.id && each.to === to.id)
  if (proof === undefined) {
    findings.fail('consistency', `nothing shows that ${text}`)
    return
  }
  const name = `consistency/${from.id}/${to.id}.txt`
  findings.covered.add(name)
  try {
    const request = parseRequest(proof.text)
    const fits = request.old === from.size && request.text === to.text
    if (fits && verifyConsistency(from.size, to.size, from.root, to.root, request.proof)) {
      findings.pass('consistency', `${request.proof.length} hashes prove that ${text}`)
    } else {
      findings.fail('consistency', `the hashes do not prove that ${text}`, name)
    }
  } catch (error) {
    findings.fail('consistency', explain(error), name)
  }
}

/** A key says something only if it is one by which the checkpoints were verified. */
function coverKeys(parts: Parts, heads: readonly Head[], findings: Findings, trust?: Trust): void {
  const keys = trust?.logKeys ?? parts.keys.map(parseVerifier)
  const used = heads.flatMap(({ origin }) => keysOf(keys, origin)).map(({ text }) => text)
  for (const text of parts.keys) if (used.includes(text)) findings.covered.add(keyName(text))
}
