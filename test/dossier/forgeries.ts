/** Dossiers that somebody changed who knows the format: sums, names and catalogue fit again. @module */
import { assemble } from '../../evidence/dossier/assemble.ts'
import { readStatement } from '../../evidence/dossier/catalogue.ts'
import { type Parts, readParts } from '../../evidence/dossier/parts.ts'
import { readZip, writeZip } from '../../evidence/dossier/zip.ts'

/** A change, and the check that must fail: by its name, with its subject or without. */
export interface Forgery {
  readonly name: string
  readonly make: (zip: Uint8Array) => Uint8Array
  readonly want: string | RegExp
}

/** Changes parts, and makes everything that follows from them anew. */
export function forge(
  zip: Uint8Array,
  change: (parts: Parts) => Partial<Parts>,
  complete?: boolean,
): Uint8Array {
  const files = readZip(zip)
  const { parts } = readParts(files)
  const statement = readStatement(Buffer.from(files.get('catalogue.json') ?? []).toString())
  const stated = complete === undefined ? statement : { ...statement, complete }
  return writeZip(assemble({ ...parts, ...change(parts) }, stated))
}

function replace(zip: Uint8Array, name: string, text: string | undefined): Uint8Array {
  const files = new Map(readZip(zip))
  files.delete(name)
  if (text !== undefined) files.set(name, Buffer.from(text))
  return writeZip(files)
}

function replaceAll(zip: Uint8Array, names: RegExp, change: (text: string) => string): Uint8Array {
  const files = [...readZip(zip)].map(([name, bytes]): [string, Uint8Array] =>
    names.test(name) ? [name, Buffer.from(change(Buffer.from(bytes).toString()))] : [name, bytes],
  )
  return writeZip(new Map(files))
}

function flip(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  return Buffer.from(bytes).fill((bytes[at] ?? 0) ^ 1, at, at + 1)
}

function flipText(text: string, at?: number): string {
  return Buffer.from(flip(Buffer.from(text), at)).toString()
}

const OTHER = 'aaaaaaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa'
/** One of each sort. */
// prettier-ignore
export const FORGERIES: readonly Forgery[] = [
  { name: 'a changed record',                    make: (zip) => forge(zip, ({ records: [a, ...rest] }) => ({ records: [{ rid: a?.rid ?? '', text: flipText(a?.text ?? '', 300) }, ...rest] })), want: /^(signature|record-form|leaf)/ },
  { name: 'a record left out of a complete one', make: (zip) => forge(zip, ({ records: [a, , ...rest] }) => ({ records: a ? [a, ...rest] : [] })), want: 'order' },
  { name: 'a record under another name',         make: (zip) => forge(zip, ({ records: [a, b, ...rest] }) => ({ records: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'leaf' },
  { name: 'a record twice',                      make: (zip) => forge(zip, ({ records: [a, ...rest] }) => ({ records: a ? [a, { ...a, rid: OTHER }, ...rest] : [] })), want: 'leaf' },
  { name: 'no records',                          make: (zip) => forge(zip, () => ({ records: [] })), want: 'files' },
  { name: 'another leaf',                        make: (zip) => forge(zip, ({ leaves: [a, b, ...rest] }) => ({ leaves: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'leaf' },
  { name: 'no leaf',                             make: (zip) => forge(zip, ({ leaves }) => ({ leaves: leaves.slice(1) })), want: 'leaf' },
  { name: 'a leaf of no record',                 make: (zip) => forge(zip, ({ leaves: [a, ...rest] }) => ({ leaves: a ? [a, { ...a, rid: OTHER }, ...rest] : [] })), want: `coverage leaves/${OTHER}.txt` },
  { name: 'the proof of another record',         make: (zip) => forge(zip, ({ proofs: [a, b, ...rest] }) => ({ proofs: a && b ? [{ ...a, text: b.text }, b, ...rest] : [] })), want: 'inclusion' },
  { name: 'no proof',                            make: (zip) => forge(zip, () => ({ proofs: [] })), want: 'inclusion' },
  { name: 'a proof with another checkpoint',     make: (zip) => forge(zip, ({ proofs, checkpoints: [a] }) => ({ proofs: proofs.map((p) => p.checkpoint.startsWith('14-') ? { ...p, checkpoint: a?.id.startsWith('7-') ? a.id : '7-15de82ba' } : p) })), want: 'inclusion' },
  { name: 'a changed checkpoint',                make: (zip) => forge(zip, ({ checkpoints: [a, ...rest] }) => ({ checkpoints: a ? [{ ...a, text: flipText(a.text, 20) }, ...rest] : [] })), want: /^(checkpoint|inclusion|coverage)/ },
  { name: 'no consistency proof',                make: (zip) => forge(zip, () => ({ consistency: [] })), want: 'consistency' },
  { name: 'a changed consistency proof',         make: (zip) => forge(zip, ({ consistency: [a] }) => ({ consistency: a ? [{ ...a, text: a.text.replace(/\n(.)/, (_, c) => (c === 'A' ? '\nB' : '\nA')) }] : [] })), want: 'consistency' },
  { name: 'a changed time stamp',                make: (zip) => forge(zip, ({ timestamps: [a, ...rest] }) => ({ timestamps: a ? [{ ...a, bytes: flip(a.bytes, a.bytes.length - 3) }, ...rest] : [] })), want: 'timestamp' },
  { name: 'a time stamp of another checkpoint',  make: (zip) => forge(zip, ({ timestamps: [a, b] }) => ({ timestamps: a && b ? [{ ...a, bytes: b.bytes }, b] : [] })), want: 'timestamp' },
  { name: 'a renewal that is none',              make: (zip) => forge(zip, ({ timestamps: [a] }) => ({ renewals: a ? [a] : [] })), want: 'renewal' },
  { name: 'a renewal of no time stamp',          make: (zip) => forge(zip, ({ timestamps: [a] }) => ({ renewals: a ? [{ ...a, number: 7 }] : [] })), want: 'coverage' },
  { name: 'no certificate',                      make: (zip) => forge(zip, () => ({ certificates: [] })), want: 'certificate' },
  { name: 'a certificate that is not used',      make: (zip) => forge(zip, ({ certificates, roots: [a] }) => ({ certificates: certificates.map((c) => c === a ? c : c).concat(a ? [flip(a, a.length - 3)] : []) })), want: /^(coverage|certificate)/ },
  { name: 'a root that is not used',             make: (zip) => forge(zip, ({ certificates: [a, b], roots }) => ({ roots: [...roots, a ?? new Uint8Array(), b ?? new Uint8Array()] })), want: /^coverage timestamp-roots/ },
  { name: 'a changed revocation list',           make: (zip) => forge(zip, ({ revocation: [a, ...rest] }) => ({ revocation: a ? [flip(a, 60), ...rest] : [] })), want: 'revocation' },
  { name: 'one revocation list of two',          make: (zip) => forge(zip, ({ revocation }) => ({ revocation: revocation.slice(1) })), want: 'certificate' },
  { name: 'a policy that no record names',       make: (zip) => forge(zip, () => ({ policies: [Buffer.from('policy: other\n')] })), want: 'coverage' },
  { name: 'a key of the log that is not known',  make: (zip) => forge(zip, ({ keys }) => ({ keys: [...keys, 'log.test/evr+6a7f6121+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'] })), want: /^(coverage|files)/ },
  { name: 'a disclosure of another record',      make: (zip) => forge(zip, ({ disclosures: [a], records: [b] }) => ({ disclosures: a && b ? [{ ...a, rid: b.rid }] : [] })), want: 'disclosure' },
  { name: 'words after the last disclosure',     make: (zip) => replaceAll(zip, /^disclosures/, (text) => `${text}x`), want: /^files disclosures/ },
  { name: 'a disclosure twice',                  make: (zip) => replaceAll(zip, /^disclosures/, (text) => text + text), want: /^files disclosures/ },
  { name: 'an unknown file',                     make: (zip) => replace(zip, 'readme.txt', 'x'),                    want: 'files readme.txt' },
  { name: 'a policy under another digest',       make: (zip) => replace(zip, `policies/${'0'.repeat(64)}.yaml`, 'x'), want: `files policies/${'0'.repeat(64)}.yaml` },
  { name: 'another VERIFY.md',                   make: (zip) => replace(zip, 'VERIFY.md', 'rm -rf /\n'),            want: 'catalogue VERIFY.md' },
  { name: 'no VERIFY.md',                        make: (zip) => replace(zip, 'VERIFY.md', undefined),               want: 'catalogue VERIFY.md' },
  { name: 'another sum',                         make: (zip) => replace(zip, 'SHA256SUMS', 'x'),                    want: 'catalogue SHA256SUMS' },
  { name: 'a catalogue of another format',       make: (zip) => replace(zip, 'catalogue.json', '{"format":"x"}'),   want: 'catalogue catalogue.json' },
  { name: 'no catalogue',                        make: (zip) => replace(zip, 'catalogue.json', undefined),          want: 'catalogue catalogue.json' },
  { name: 'a catalogue that says to be complete', make: (zip) => forge(zip, ({ records: [a, , , d] }) => ({ records: a && d ? [a, d] : [] }), true), want: 'order' },
]
