/** Flips every bit of a dossier, one at a time, and gives those that no check notices. @module */
import { createFindings } from '../../evidence/dossier/findings.ts'
import { makeSums } from '../../evidence/dossier/assemble.ts'
import { checkpointId, DERIVED, type Parts, readParts } from '../../evidence/dossier/parts.ts'
import { createPartsCheck } from '../../evidence/dossier/verify.ts'
import { checkLog } from '../../evidence/dossier/verify-log.ts'
import { type Files, readZip } from '../../evidence/dossier/zip.ts'
import type { Trust } from '../../evidence/verify-trust.ts'

/** Which of the flips one worker makes: those whose number leaves `turn` when divided by `workers`. */
export interface Share {
  readonly turn: number
  readonly workers: number
}

/** How many bits were flipped, and which flips nobody noticed. */
export interface Flipped {
  readonly flips: number
  readonly survivors: readonly string[]
}

/** Calls `notices` with each flip of this share; the bytes are flipped back after it. */
async function flipAll(
  bytes: Uint8Array,
  { turn, workers }: Share,
  notices: (changed: Uint8Array) => boolean | Promise<boolean>,
): Promise<{ flips: number; missed: number[] }> {
  const copy = Buffer.from(bytes)
  const missed: number[] = []
  let flips = 0
  for (let bit = turn; bit < copy.length * 8; bit += workers) {
    const at = bit >> 3
    const before = copy[at] ?? 0
    copy[at] = before ^ (1 << (bit & 7))
    if (!(await notices(copy))) missed.push(bit)
    copy[at] = before
    flips++
  }
  return { flips, missed }
}

function refuses(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch {
    return true
  }
}

/** Every bit of the container: it must be refused as such. */
export async function flipContainer(zip: Uint8Array, share: Share): Promise<Flipped> {
  const { flips, missed } = await flipAll(zip, share, (changed) => refuses(() => readZip(changed)))
  return { flips, survivors: missed.map((bit) => `zip, bit ${bit}`) }
}

/** Every bit of each file, in a zip that fits: SHA256SUMS must notice. */
export async function flipFiles(zip: Uint8Array, share: Share): Promise<Flipped> {
  const files = new Map(readZip(zip))
  const survivors: string[] = []
  let flips = 0
  for (const [name, bytes] of readZip(zip)) {
    const result = await flipAll(bytes, share, (changed) => {
      const sums = Buffer.from(makeSums(files.set(name, changed)))
      return !sums.equals(files.get('SHA256SUMS') ?? new Uint8Array())
    })
    files.set(name, bytes)
    flips += result.flips
    survivors.push(...result.missed.map((bit) => `${name}, bit ${bit}`))
  }
  return { flips, survivors }
}

/**
 * Every bit of each file that does not follow from others, with all names, sums and derived files
 * made to fit again, as one does who knows the format: signatures and proofs must notice.
 */
export async function flipParts(zip: Uint8Array, trust: Trust, share: Share): Promise<Flipped> {
  const files = readZip(zip)
  const check = createPartsCheck(trust, Date.now)
  const notices = async ({ parts, names }: Fitted): Promise<boolean> => {
    const quick = createFindings()
    checkLog(parts, quick, trust)
    if (quick.checks.some(({ ok }) => !ok)) return true
    const findings = createFindings()
    await check(parts, findings, true)
    const bare = names.some((each) => !findings.covered.has(each))
    return bare || findings.checks.some(({ ok }) => !ok)
  }
  const survivors: string[] = []
  let flips = 0
  for (const [name, bytes] of files) {
    if (isDerived(name)) continue
    const around = fitAround(files, name)
    const result = await flipAll(bytes, share, async (changed) => {
      const fitted = around(changed)
      return fitted === undefined || (await notices(fitted))
    })
    flips += result.flips
    survivors.push(...result.missed.map((bit) => `${name}, bit ${bit}`))
  }
  return { flips, survivors }
}

/** Every bit of the proofs that one checkpoint extends another. */
export function flipConsistency(zip: Uint8Array, trust: Trust): Flipped {
  const { parts } = readParts(readZip(zip))
  const survivors: string[] = []
  let flips = 0
  for (const proof of parts.consistency) {
    const bytes = Buffer.from(proof.text)
    for (let bit = 0; bit < bytes.length * 8; bit++, flips++) {
      const text = Buffer.from(bytes.with(bit >> 3, bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)))).toString() // prettier-ignore
      const findings = createFindings()
      checkLog({ ...parts, consistency: [{ ...proof, text }] }, findings, trust)
      if (findings.checks.every(({ ok }) => ok)) survivors.push(`${proof.from}, bit ${bit}`)
    }
  }
  return { flips, survivors }
}

interface Fitted {
  readonly parts: Parts
  readonly names: readonly string[]
}

function isDerived(name: string): boolean {
  return DERIVED.some((each) => each === name)
}

/** Fits the other files around a changed one: undefined when none fit, for then it is no such file. */
function fitAround(files: Files, name: string): (changed: Uint8Array) => Fitted | undefined {
  const others = new Map([...files].filter(([each]) => each !== name && !isDerived(each)))
  if (name.startsWith('checkpoints/')) {
    return (changed) => fitCheckpoint(others, name, Buffer.from(changed).toString())
  }
  const rest = readParts(others).parts
  return (changed) => {
    for (let tries = 0, place = name; tries < 2; tries++) {
      const { parts, misfits } = readParts(new Map([[place, changed]]))
      const [misfit] = misfits
      if (misfit === undefined)
        return { parts: join(rest, parts), names: [...others.keys(), place] }
      const wanted = /^its content belongs into `(.*)`$/.exec(misfit.why)?.[1]
      if (wanted === undefined) return undefined
      place = wanted
    }
    return undefined
  }
}

function join(a: Parts, b: Parts): Parts {
  const lists = Object.keys(a) as (keyof Parts)[]
  const both = lists.map((key) => [key, [...a[key], ...b[key]]])
  return Object.fromEntries(both) as Parts
}

/** A checkpoint stands in proofs too, and its id in names. */
function fitCheckpoint(others: Files, name: string, text: string): Fitted | undefined {
  const id = checkpointId(text)
  const before = name.slice('checkpoints/'.length, -'.note'.length)
  const all = new Map<string, Uint8Array>([[`checkpoints/${id}.note`, Buffer.from(text)]])
  for (const [other, bytes] of others) {
    if (!other.includes(before)) {
      all.set(other, bytes)
      continue
    }
    const head = Buffer.from(bytes).toString().split('\n\n', 1)[0] ?? ''
    const content = other.startsWith('proofs/') ? Buffer.from(`${head}\n\n${text}`) : bytes
    all.set(other.replace(before, id), content)
  }
  const { parts, misfits } = readParts(all)
  return misfits.length > 0 ? undefined : { parts, names: [...all.keys()] }
}
