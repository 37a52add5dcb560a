import { expect } from 'chai'
import { verifyChain } from '../../evidence/certificate.ts'
import { readPem, toPem } from '../../evidence/pem.ts'
import {
  createAuthority,
  generateKey,
  issueSeal,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import { readCertificate } from '../../evidence/x509-profile.ts'
import { issueRevocationList } from '../../evidence/x509-revocation.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

describeForeign('openssl verify', ['openssl', 'version'], () => {
  const at = new Date()
  const folder = makeFolder()
  const openssl = (...args: string[]) => runTool('openssl', args, folder.path)
  after(() => folder.remove())

  it('accepts our seal and time stamping certificates under x509_strict', async () => {
    const { root, issuing } = await createAuthority(at)
    const issuer = toIssuer(issuing)
    const names = { commonName: 'gw-1', organization: '某某征信有限公司' }
    const spki = keySigner(generateKey()).spki
    folder.put('root', toPem('CERTIFICATE', root.certificateDer))
    folder.put('issuing', toPem('CERTIFICATE', issuing.certificateDer))
    const seal = await issueSeal(issuer, spki, { ...names, at, hours: 24 })
    folder.put('seal', toPem('CERTIFICATE', seal))
    const tsa = await issueTimestampAuthority(issuer, spki, { ...names, at, days: 30 })
    folder.put('tsa', toPem('CERTIFICATE', tsa))
    const strict = ['verify', '-x509_strict', '-CAfile', 'root', '-untrusted', 'issuing']
    expect(openssl(...strict, 'seal').text).to.equal('seal: OK\n')
    expect(openssl(...strict, '-purpose', 'timestampsign', 'tsa').text).to.equal('tsa: OK\n')
    expect(openssl(...strict, '-purpose', 'timestampsign', 'seal').ok).to.equal(false)
    expect(openssl('verify', '-CAfile', 'root', 'seal').ok).to.equal(false)
  })

  it('reads our revocation lists, and heeds them', async () => {
    const { root, issuing } = await createAuthority(at)
    const issuer = toIssuer(issuing)
    const names = { commonName: 'gw-1', organization: '某某征信有限公司' }
    const spki = keySigner(generateKey()).spki
    const list = { at, days: 1, number: 1 }
    const seals = [
      await issueSeal(issuer, spki, { ...names, at, hours: 24 }),
      await issueSeal(issuer, spki, { ...names, at, hours: 24 }),
    ]
    const [kept = new Uint8Array(), revoked = new Uint8Array()] = seals
    folder.put('kept', toPem('CERTIFICATE', kept))
    folder.put('revoked', toPem('CERTIFICATE', revoked))
    folder.put('root', toPem('CERTIFICATE', root.certificateDer))
    folder.put('issuing', toPem('CERTIFICATE', issuing.certificateDer))
    const entries = new Map([[BigInt(`0x${readCertificate(revoked).serial}`), at]])
    const lists = [
      await issueRevocationList(issuer, entries, list),
      await issueRevocationList(toIssuer(root), new Map(), list),
    ]
    folder.put('lists', lists.map((der) => toPem('X509 CRL', der)).join(''))
    const args = [
      'verify',
      '-crl_check_all',
      '-CRLfile',
      'lists',
      '-CAfile',
      'root',
      '-untrusted',
      'issuing',
    ]
    expect(openssl(...args, 'kept').text).to.equal('kept: OK\n')
    expect(openssl(...args, 'revoked').text).to.match(/certificate revoked/)
  })

  const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'
  const TSA = 'extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature'
  // prettier-ignore
  const TABLE: { name: string; ca?: string; leaf?: string; hash?: string; key?: string[]; want?: RegExp }[] = [
    { name: 'an RSA authority', key: ['rsa:2048'] },
    { name: 'an RSA authority with SHA-512', key: ['rsa:2048'], hash: 'sha512' },
    { name: 'a P-384 authority', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], hash: 'sha384' },
    { name: 'SHA-1',                            key: ['rsa:2048'], hash: 'sha1',                         want: /signature algorithm 1\.2\.840\.113549\.1\.1\.5/ },
    { name: 'no basicConstraints',              ca: 'keyUsage=critical,keyCertSign',                     want: /not a certification authority/ },
    { name: 'basicConstraints not critical',    ca: 'basicConstraints=CA:TRUE\nkeyUsage=keyCertSign',    want: /not critical/ },
    { name: 'an issuer that is no authority',   ca: 'basicConstraints=critical,CA:FALSE',                want: /not a certification authority/ },
    { name: 'an issuer without keyCertSign',    ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign', want: /may not sign certificates/ },
    { name: 'an unknown critical extension',    leaf: `${TSA}\n1.2.3.4=critical,ASN1:NULL`,              want: /unknown critical extension 1\.2\.3\.4/ },
    { name: 'critical name constraints',        ca: `${CA}\nnameConstraints=critical,permitted;DNS:a.b`, want: /unknown critical extension 2\.5\.29\.30/ },
    { name: 'no extKeyUsage',                   leaf: 'keyUsage=critical,digitalSignature',              want: /needs extKeyUsage timeStamping and no other/ },
    { name: 'extKeyUsage not critical',         leaf: 'extendedKeyUsage=timeStamping',                   want: /extKeyUsage that is not critical/ },
    { name: 'a second extKeyUsage',             leaf: 'extendedKeyUsage=critical,timeStamping,serverAuth', want: /timeStamping and no other/ },
    { name: 'keyUsage for key agreement',       leaf: `extendedKeyUsage=critical,timeStamping\nkeyUsage=digitalSignature,keyAgreement`, want: /keyUsage beyond signing/ },
  ]
  for (const { name, ca = CA, leaf = TSA, hash = 'sha256', key, want } of TABLE) {
    it(`${want === undefined ? 'has certificates that we accept' : 'makes what we reject'}: ${name}`, async () => {
      const config = (sections: string) => `[req]\ndistinguished_name=dn\n[dn]\n[x]\n${sections}\n`
      const newKey = key ?? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
      folder.put('ca.cnf', config(ca))
      folder.put('leaf.cnf', config(leaf))
      const made = [
        openssl(
          'req',
          '-x509',
          '-config',
          'ca.cnf',
          '-extensions',
          'x',
          '-nodes',
          '-newkey',
          ...newKey,
          '-keyout',
          'ca.key',
          '-out',
          'ca.crt',
          '-subj',
          '/CN=Outside root',
          '-days',
          '9',
          `-${hash}`,
        ),
        openssl(
          'req',
          '-new',
          '-config',
          'leaf.cnf',
          '-nodes',
          '-newkey',
          ...newKey,
          '-keyout',
          'leaf.key',
          '-out',
          'leaf.csr',
          '-subj',
          '/CN=Outside TSA',
        ),
        openssl(
          'x509',
          '-req',
          '-in',
          'leaf.csr',
          '-CA',
          'ca.crt',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-extfile',
          'leaf.cnf',
          '-extensions',
          'x',
          '-days',
          '9',
          '-out',
          'leaf.crt',
          `-${hash}`,
        ),
      ]
      for (const { ok, text } of made) expect(ok, text).to.equal(true)
      const read = (file: string) => readPem(readFileSync(join(folder.path, file), 'utf8'))
      const [leafDer = new Uint8Array()] = read('leaf.crt')
      const roots = read('ca.crt')
      const question = {
        leafDer,
        intermediates: [],
        roots,
        at: new Date(),
        purpose: 'timestamp',
      } as const
      const { reasons } = await verifyChain(question)
      if (want === undefined) expect(reasons).to.deep.equal([])
      else expect(reasons.join('; ')).to.match(want)
    })
  }
})
