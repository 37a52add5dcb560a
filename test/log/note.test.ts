import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import {
  checkpointText,
  cosign,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
} from '../../evidence/log/checkpoint.ts'
import { sha256 } from '../../evidence/crypto.ts'
import {
  ED25519,
  ED25519_COSIGNATURE,
  makeSigner,
  ML_DSA_44_COSIGNATURE,
  parseNote,
  parseVerifier,
  verifyText,
} from '../../evidence/log/note.ts'
import { formatProof, parseProof } from '../../evidence/log/proof.ts'

// The example of c2sp.org/signed-note, complete with its key.
const EXAMPLE_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const EXAMPLE_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`

const HEAD = { origin: 'log.test/evr', size: 304, root: sha256(Buffer.from('root')) }
const LOG = makeSigner(HEAD.origin, ED25519, generateKeyPairSync('ed25519').privateKey)
const PQ = makeSigner(
  HEAD.origin,
  ML_DSA_44_COSIGNATURE,
  generateKeyPairSync('ml-dsa-44').privateKey,
)
const WITNESS = makeSigner(
  'bank.test/w',
  ED25519_COSIGNATURE,
  generateKeyPairSync('ed25519').privateKey,
)
const SIGNED = signCheckpoint(HEAD, [LOG, PQ], 1_800_000_000)

describe('signed notes', () => {
  it('verifies the example of the specification', () => {
    const verifier = parseVerifier(EXAMPLE_KEY)
    expect(verifyText(parseNote(EXAMPLE_NOTE), verifier)).to.equal(true)
    expect(verifyText(parseNote(EXAMPLE_NOTE.replace('then', 'than')), verifier)).to.equal(false)
  })

  it('writes verifier keys that read back', () => {
    for (const { verifier } of [LOG, PQ, WITNESS]) {
      expect(parseVerifier(verifier.text).text).to.equal(verifier.text)
    }
  })

  // prettier-ignore
  const KEYS = [
    { name: 'a key of another hash',  text: EXAMPLE_KEY.replace('c74f20a3', 'c74f20a4'), want: 'the key hashes to c74f20a3, not to c74f20a4' },
    { name: 'a name of another hash', text: EXAMPLE_KEY.replace('Peter', 'Petra'),       want: 'the key hashes to' },
    { name: 'an unknown type',        text: 'a+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', want: 'expected a verifier key' },
    { name: 'a short key',            text: 'a+c74f20a3+ARpc',                           want: 'expected a verifier key' },
    { name: 'a name with a space',    text: EXAMPLE_KEY.replace('Peter', 'Pe er'),       want: 'expected a verifier key' },
    { name: 'no key',                 text: '',                                          want: 'expected a verifier key' },
  ]
  for (const { name, text, want } of KEYS) {
    it(`refuses ${name}`, () => refuses(() => parseVerifier(text), want))
  }

  // prettier-ignore
  const NOTES = [
    { name: 'no blank line',               text: EXAMPLE_NOTE.replace('\n\n', '\n'),     want: 'expected text, a blank line' },
    { name: 'no text',                     text: EXAMPLE_NOTE.slice(EXAMPLE_NOTE.indexOf('\n\n')), want: 'expected text, a blank line' },
    { name: 'no last newline',             text: EXAMPLE_NOTE.trimEnd(),                 want: 'expected text, a blank line' },
    { name: 'a hyphen for the dash',       text: EXAMPLE_NOTE.replace('\u2014', '-'),    want: 'expected signature lines' },
    { name: 'a signature without padding', text: EXAMPLE_NOTE.replace('=', ''),          want: 'expected signature lines' },
    { name: 'a carriage return',           text: EXAMPLE_NOTE.replace(/\n$/, '\r\n'),    want: 'expected signature lines' },
    { name: 'an endless note',             text: 'x'.repeat(600_000),                    want: 'at most 524288 bytes' },
    { name: 'too many signatures',         text: 'a\n\n' + (EXAMPLE_NOTE.split('\n').at(-2) + '\n').repeat(129), want: 'expected text, a blank line' },
  ]
  for (const { name, text, want } of NOTES) {
    it(`refuses ${name}`, () => refuses(() => parseNote(text), want))
  }
})

describe('checkpoints', () => {
  it('carries an Ed25519 and an ML-DSA-44 signature, and both verify', () => {
    const checkpoint = parseCheckpoint(SIGNED)
    expect(checkpoint).to.include({ origin: HEAD.origin, size: 304 })
    expect(verifyCheckpoint(checkpoint, LOG.verifier)).to.deep.equal({})
    expect(verifyCheckpoint(checkpoint, PQ.verifier)).to.deep.equal({ timeS: 1_800_000_000 })
    expect(verifyCheckpoint(checkpoint, WITNESS.verifier)).to.equal(undefined)
  })

  it("takes a cosignature beside the log's own signatures, with its time", () => {
    const line = cosign(WITNESS, HEAD, checkpointText(HEAD), 1_800_000_007)
    const checkpoint = parseCheckpoint(SIGNED + line)
    expect(verifyCheckpoint(checkpoint, WITNESS.verifier)).to.deep.equal({ timeS: 1_800_000_007 })
    expect(verifyCheckpoint(checkpoint, LOG.verifier)).to.deep.equal({})
  })

  it('believes no signature on another size, origin or root', () => {
    const cosigned = SIGNED + cosign(WITNESS, HEAD, checkpointText(HEAD), 1_800_000_007)
    const others = [
      cosigned.replace('\n304\n', '\n305\n'),
      cosigned.replace(/^log/, 'Log'),
      cosigned.replace(HEAD.root.toString('base64'), sha256(HEAD.root).toString('base64')),
    ]
    for (const other of others) {
      for (const { verifier } of [LOG, PQ, WITNESS]) {
        expect(verifyCheckpoint(parseCheckpoint(other), verifier)).to.equal(undefined)
      }
    }
  })

  // prettier-ignore
  const CHECKPOINTS = [
    { name: 'a size with a leading zero', text: SIGNED.replace('\n304\n', '\n0304\n'), want: 'expected the lines origin, size and root hash' },
    { name: 'a size with a sign',         text: SIGNED.replace('\n304\n', '\n+304\n'), want: 'expected the lines origin, size and root hash' },
    { name: 'a size beyond 2^53',         text: SIGNED.replace('\n304\n', '\n9999999999999999\n'), want: 'expected the lines origin, size and root hash' },
    { name: 'an empty origin',            text: SIGNED.replace(HEAD.origin, ''),       want: 'expected the lines origin, size and root hash' },
    { name: 'a root without padding',     text: SIGNED.replace('=\n', '\n'),           want: 'expected one canonical base64 hash' },
    { name: 'a root that is cut',         text: SIGNED.replace(HEAD.root.toString('base64'), 'AAAA'), want: 'expected one canonical base64 hash' },
  ]
  for (const { name, text, want } of CHECKPOINTS) {
    it(`refuses ${name}`, () => refuses(() => parseCheckpoint(text), want))
  }
})

describe('tlog-proof', () => {
  const proof = formatProof({ index: 300, hashes: [HEAD.root, HEAD.root], checkpoint: SIGNED })
  const hash = HEAD.root.toString('base64')

  it('reads back what it writes', () => {
    expect(formatProof(parseProof(proof))).to.equal(proof)
    const empty = formatProof({ index: 0, hashes: [], checkpoint: SIGNED })
    expect(parseProof(empty)).to.deep.equal({ index: 0, hashes: [], checkpoint: SIGNED })
  })

  // prettier-ignore
  const PROOFS = [
    { name: 'another header',     text: proof.replace('@v1', '@v2'),                       want: 'expected `c2sp.org/tlog-proof@v1`' },
    { name: 'a padded index',     text: proof.replace('index 300', 'index 0300'),          want: 'an `index` line' },
    { name: 'a negative index',   text: proof.replace('index 300', 'index -1'),            want: 'an `index` line' },
    { name: 'a hash too short',   text: proof.replace(hash, 'AAAA'),                       want: 'expected one canonical base64 hash' },
    { name: 'a hash with spaces', text: proof.replace(hash, ` ${hash}`),                   want: 'expected one canonical base64 hash' },
    { name: 'a proof too high',   text: proof.replace(hash, Array(65).fill(hash).join('\n')), want: 'at most 64 hashes' },
    { name: 'no checkpoint',      text: proof.slice(0, proof.indexOf('\n\n')),             want: 'expected' },
  ]
  for (const { name, text, want } of PROOFS) {
    it(`refuses ${name}`, () => refuses(() => parseProof(text), want))
  }
})

function refuses(work: () => unknown, want: string): void {
  expect(work).to.throw(Problem, want).with.property('slug', 'request-malformed')
}
