/** Checks what stands beside the records: renewed time stamps, revocation lists, policies. Portable. @module */
import { remember } from '../memo.ts'
import { type RecordResult, verifyRecord } from '../renewal/verify.ts'
import type { Trust } from '../verify-trust.ts'
import { isListOf } from '../x509-revocation.ts'
import { policyDigest, tryRecord } from './catalogue.ts'
import type { Findings } from './findings.ts'
import { REMEMBERED_MAX } from './limits.ts'
import { hexDigest, listName, type Parts, type Token, tokenName } from './parts.ts'

/** Checks of one dossier after the other. */
export interface Extras {
  /** @param paths the certificates that the records led to, leaf to root. */
  check(
    parts: Parts,
    findings: Findings,
    paths: readonly (readonly Uint8Array[])[],
  ): Promise<{ readonly development: boolean }>
}

/** Makes the checks; good results are remembered. */
export function createExtras(trust: Trust | undefined, nowMs: () => number): Extras {
  const renewals = new Map<string, RecordResult>()
  const lists = new Map<string, boolean>()
  return {
    check: async (parts, findings, paths) => {
      let development = false
      for (const token of parts.renewals) {
        const roots = trust === undefined ? parts.roots : (trust.timestampRoots ?? trust.roots)
        const result = await renewalOf(renewals, parts, token, { roots, at: new Date(nowMs()) })
        tellRenewal(parts, token, result, findings)
        development ||= result.development
      }
      await checkLists(parts, findings, paths, lists)
      checkPolicies(parts, findings)
      return { development }
    },
  }
}

async function renewalOf(
  known: Map<string, RecordResult>,
  parts: Parts,
  { checkpoint, bytes }: Token,
  trust: { readonly roots: readonly Uint8Array[]; readonly at: Date },
): Promise<RecordResult> {
  const text = parts.checkpoints.find(({ id }) => id === checkpoint)?.text ?? ''
  const key = [bytes, ...trust.roots].map(hexDigest).join() + text
  const result = known.get(key) ?? (await verifyRecord(bytes, Buffer.from(text), trust))
  return result.valid ? remember(known, REMEMBERED_MAX, key, result) : result
}

function tellRenewal(parts: Parts, token: Token, result: RecordResult, findings: Findings): void {
  const name = tokenName('renewals', token)
  const { checkpoint, number } = token
  const first = parts.timestamps.some((each) => each.checkpoint === checkpoint && each.number === number) // prettier-ignore
  if (!first) return // Renews nothing of this dossier: no check covers it.
  findings.covered.add(name)
  for (const der of result.chains.flatMap((chain) => chain.slice(-1)))
    findings.covered.add(`timestamp-roots/${hexDigest(der)}.pem`)
  const text = `the time stamp over checkpoint ${checkpoint} was renewed while it was good`
  if (result.valid)
    findings.pass('renewal', `${text}; existed by ${result.time?.toISOString()}`, name)
  else findings.fail('renewal', result.reasons.join('; '), name)
}

async function checkLists(
  { revocation }: Parts,
  findings: Findings,
  paths: readonly (readonly Uint8Array[])[],
  known: Map<string, boolean>,
): Promise<void> {
  const authorities = new Map(
    paths.flatMap((path) => path.slice(1)).map((der) => [hexDigest(der), der]),
  )
  for (const list of revocation) {
    const name = listName(list)
    for (const [digest, der] of authorities) {
      const key = `${name} ${digest}`
      const good = known.get(key) ?? (await isListOf(list, der))
      if (remember(known, REMEMBERED_MAX, key, good)) findings.covered.add(name)
    }
    if (findings.covered.has(name))
      findings.pass('revocation', 'the list is by an authority of these certificates', name) // prettier-ignore
    else findings.fail('revocation', 'the list is by no authority of these certificates', name)
  }
  if (revocation.length > 0) return
  findings.absent(
    'revocation',
    'no list came along; fetch lists yourself and give them to `verify`',
  )
}

/** A policy's digest in a record is of the file's bytes. */
function checkPolicies({ records, policies }: Parts, findings: Findings): void {
  const here = new Set(policies.map(hexDigest))
  const named = new Map<string, { title: string; count: number }>()
  for (const { text } of records) {
    const payload: Untyped = tryRecord(text)?.payload ?? {}
    const digest = policyDigest(payload)
    if (digest === undefined) continue
    const policy = payload['policy'] as Untyped | null | undefined
    const title = `${String(policy?.['id'])}@${String(policy?.['version'])}`
    named.set(digest, { title, count: (named.get(digest)?.count ?? 0) + 1 })
  }
  for (const [digest, { title, count }] of named) {
    const text = `policy ${title} of ${count} ${count === 1 ? 'record' : 'records'}`
    if (here.has(digest)) findings.pass('policy', `${text} is this file`, `policies/${digest}.yaml`)
    else findings.absent('policy', `${text}, sha256:${digest}, is not in this dossier`)
    findings.covered.add(`policies/${digest}.yaml`)
  }
}

type Untyped = Readonly<Record<string, unknown>>
