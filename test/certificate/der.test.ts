import { expect } from 'chai'
import fc from 'fast-check'
import {
  isEcdsaValue,
  parseDer,
  takeAlgorithm,
  takeInteger,
  takeOid,
  writeDer,
} from '../../evidence/der.ts'

const bytes = (hexadecimal: string) => new Uint8Array(Buffer.from(hexadecimal, 'hex'))

describe('DER', () => {
  // prettier-ignore
  const REJECT = [
    { name: 'no bytes',                       hex: '',                       want: 'expected more bytes' },
    { name: 'no length',                      hex: '30',                     want: 'expected more bytes' },
    { name: 'a cut value',                    hex: '040201',                 want: 'expected a length within the value' },
    { name: 'a part longer than the whole',   hex: '3003040401',             want: 'expected a length within the value' },
    { name: 'bytes after the value',          hex: '050000',                 want: 'expected one DER value, nothing after it' },
    { name: 'an indefinite length',           hex: '30800000',               want: 'expected a definite length' },
    { name: 'a length in too many octets',    hex: '04810100',               want: 'expected the shortest length' },
    { name: 'a length with a leading zero',   hex: `0482007f${'00'.repeat(127)}`, want: 'expected the shortest length' },
    { name: 'a length of five octets',        hex: '04850000000001',         want: 'expected a definite length' },
    { name: 'a tag of many octets',           hex: '1f8101',                 want: 'expected a tag below 31' },
    { name: 'a string in parts',              hex: '2403040100',             want: 'expected a primitive string' },
    { name: 'a primitive SEQUENCE',           hex: '1000',                   want: 'expected a constructed SEQUENCE or SET' },
    { name: 'a BOOLEAN of 01',                hex: '010101',                 want: 'expected a BOOLEAN of 00 or ff' },
    { name: 'an empty INTEGER',               hex: '0200',                   want: 'expected the shortest INTEGER' },
    { name: 'an INTEGER with a leading zero', hex: '0202007f',               want: 'expected the shortest INTEGER' },
    { name: 'an INTEGER with a leading ff',   hex: '0202ff80',               want: 'expected the shortest INTEGER' },
    { name: 'a BIT STRING padded with ones',  hex: '03020101',               want: 'expected a BIT STRING padded with zeros' },
    { name: 'a NULL that is not empty',       hex: '050100',                 want: 'expected an empty NULL' },
    { name: 'values nested too deep',         hex: Array.from({ length: 40 }, (_, i) => `30${(78 - 2 * i).toString(16).padStart(2, '0')}`).join(''), want: 'expected at most 32 levels' },
  ]
  for (const { name, hex, want } of REJECT) {
    it(`rejects ${name}`, () => {
      expect(() => parseDer(bytes(hex))).to.throw(want)
    })
  }

  // prettier-ignore
  const OIDS = [
    { hex: '06082a811ccf55018375',       want: '1.2.156.10197.1.501' },
    { hex: '06058837985901', want: '2.999.3161.1' },
    { hex: '0603550403',                 want: '2.5.4.3' },
    { hex: '060127',                     want: '0.39' },
  ]
  for (const { hex, want } of OIDS) {
    it(`reads ${want}`, () => {
      expect(takeOid(parseDer(bytes(hex)))).to.equal(want)
    })
  }

  // prettier-ignore
  const VALUES: { name: string; read: () => unknown; want: RegExp }[] = [
    { name: 'an identifier that breaks off',  read: () => takeOid(parseDer(bytes('06022a81'))),              want: /expected an object identifier/ },
    { name: 'an identifier with a long arc',  read: () => takeOid(parseDer(bytes('06032a8001'))),            want: /expected the shortest arc/ },
    { name: 'an empty identifier',            read: () => takeOid(parseDer(bytes('0600'))),                  want: /expected an object identifier/ },
    { name: 'a negative number',              read: () => takeInteger(parseDer(bytes('0201ff'))),            want: /expected no negative number/ },
    { name: 'algorithm parameters',           read: () => takeAlgorithm(parseDer(bytes('3006060127020100'))), want: /expected tag 5/ },
  ]
  for (const { name, read, want } of VALUES) {
    it(`rejects ${name}`, () => {
      expect(read).to.throw(want)
    })
  }

  it('reads what it writes', () => {
    const tree = fc.letrec<{ value: Uint8Array }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.uint8Array({ maxLength: 300 }).map((content) => writeDer(0x04, content)),
        fc.array(tie('value'), { maxLength: 5 }).map((parts) => writeDer(0x30, ...parts)),
      ),
    })).value
    fc.assert(
      fc.property(tree, (der) => {
        const { raw, tag, content, parts } = parseDer(der)
        expect(raw).to.deep.equal(der)
        expect(
          writeDer(tag, ...(tag === 0x30 ? parts.map((part) => part.raw) : [content])),
        ).to.deep.equal(der)
      }),
    )
  })

  it('never throws on any bytes where a caller relies on it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (any) => {
        expect(isEcdsaValue(any, 32)).to.be.a('boolean')
      }),
    )
  })
})
