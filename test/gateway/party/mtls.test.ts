import { expect } from 'chai'
import { sameSubject } from '../../../gateway/party/mtls.ts'

// prettier-ignore
const SUBJECTS: { name: string; configured: string; subject: string; want: boolean }[] = [
  { name: 'the certificate\'s order',    configured: 'C=CN,O=Harbour,CN=bank',   subject: 'C=CN,O=Harbour,CN=bank', want: true },
  { name: 'RFC 4514 order',              configured: 'CN=bank,O=Harbour,C=CN',   subject: 'C=CN,O=Harbour,CN=bank', want: true },
  { name: 'spaces after commas',         configured: 'C=CN, O=Harbour, CN=bank', subject: 'C=CN,O=Harbour,CN=bank', want: true },
  { name: 'another name',                configured: 'CN=bank',                  subject: 'CN=bank2',               want: false },
  { name: 'a part of it',                configured: 'CN=bank',                  subject: 'O=Evil,CN=bank',         want: false },
  { name: 'more than it has',            configured: 'O=Harbour,CN=bank',        subject: 'CN=bank',                want: false },
  { name: 'another order',               configured: 'O=Harbour,C=CN,CN=bank',   subject: 'C=CN,O=Harbour,CN=bank', want: false },
  { name: 'a comma inside a name',       configured: 'O=Harbour,CN=bank',        subject: 'O=Harbour\\,CN=bank',    want: false },
  { name: 'another case',                configured: 'CN=Bank',                  subject: 'CN=bank',                want: false },
]

describe('sameSubject', () => {
  for (const { name, configured, subject, want } of SUBJECTS) {
    it(`${want ? 'accepts' : 'refuses'} ${name}`, () => {
      expect(sameSubject(configured, subject)).to.equal(want)
    })
  }
})
