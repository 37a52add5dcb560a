import { expect } from 'chai'
import { verifyChain } from '../../evidence/certificate.ts'
import {
  createAuthority,
  generateKey,
  issueSeal,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import { readCertificate } from '../../evidence/x509-profile.ts'
import { issueRevocationList } from '../../evidence/x509-revocation.ts'

const at = new Date('2026-11-24T10:00:00Z')
const later = (hours: number) => new Date(at.getTime() + hours * 3_600_000)
const { root, issuing } = await createAuthority(at)
const stranger = await createAuthority(at)
const names = { commonName: 'gw-1', organization: '某某征信有限公司' }
const seal = await issueSeal(toIssuer(issuing), keySigner(generateKey()).spki, {
  ...names,
  at,
  hours: 24,
})
const serialOf = (der: Uint8Array) => BigInt(`0x${readCertificate(der).serial}`)
const fresh = { at, days: 1, number: 1 }
const rootList = await issueRevocationList(toIssuer(root), new Map(), fresh)
const clean = await issueRevocationList(toIssuer(issuing), new Map(), fresh)
const others = await issueRevocationList(toIssuer(issuing), new Map([[0x4abcn, at]]), fresh)
const revoked = await issueRevocationList(
  toIssuer(issuing),
  new Map([
    [0x4abcn, at],
    [serialOf(seal), later(2)],
  ]),
  { ...fresh, at: later(2), number: 2 },
)
const issuingRevoked = await issueRevocationList(
  toIssuer(root),
  new Map([[serialOf(issuing.certificateDer), later(1)]]),
  fresh,
)
const forged = await issueRevocationList(
  { ...toIssuer(stranger.issuing), certificateDer: issuing.certificateDer },
  new Map(),
  fresh,
)

const check = (revocationLists: readonly Uint8Array[], hours: number) =>
  verifyChain({
    leafDer: seal,
    intermediates: [issuing.certificateDer],
    roots: [root.certificateDer],
    at: later(hours),
    purpose: 'seal',
    revocationLists,
  })

describe('revocation lists', () => {
  // prettier-ignore
  const ACCEPT = [
    { name: 'that are empty',                              lists: [clean, rootList],          hours: 1 },
    { name: 'about other certificates',                    lists: [others, rootList],         hours: 1 },
    { name: 'that came later, while it was valid',         lists: [revoked, rootList],        hours: 1 },
    { name: 'that revoke only after the signature',        lists: [clean, revoked, rootList], hours: 1.5 },
  ]
  for (const { name, lists, hours } of ACCEPT) {
    it(`let a seal pass ${name}`, async () => {
      expect((await check(lists, hours)).reasons).to.deep.equal([])
    })
  }

  const flipped = Uint8Array.from(clean)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  // prettier-ignore
  const REJECT = [
    { name: 'that revoke it before',         lists: [clean, revoked, rootList], hours: 2, want: /^`CN=gw-1, .*` was revoked at 2026-11-24T12:00:00.000Z$/ },
    { name: 'that revoke its issuer',        lists: [clean, issuingRevoked],    hours: 2, want: /issuing .* was revoked at 2026-11-24T11/ },
    { name: 'when there are none',           lists: [],                         hours: 1, want: /^no revocation list for `CN=gw-1.*; no revocation list for `CN=Sealgate development issuing/ },
    { name: 'when the root has none',        lists: [clean],                    hours: 1, want: /^no revocation list for `CN=Sealgate development issuing/ },
    { name: 'that are too old',              lists: [clean, rootList],          hours: 24.5, want: /no revocation list for `CN=gw-1/ },
    { name: 'that another signed',           lists: [forged, rootList],         hours: 1, want: /no revocation list for `CN=gw-1/ },
    { name: 'that are altered',              lists: [flipped, rootList],        hours: 1, want: /no revocation list for `CN=gw-1/ },
    { name: 'that are cut',                  lists: [clean.subarray(0, -1), rootList], hours: 1, want: /no revocation list for `CN=gw-1/ },
  ]
  for (const { name, lists, hours, want } of REJECT) {
    it(`reject a seal ${name}`, async () => {
      const { valid, reasons } = await check(lists, hours)
      expect(reasons.join('; ')).to.match(want)
      expect(valid).to.equal(false)
    })
  }
})
