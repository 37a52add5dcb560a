import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import {
  generateKeyRing,
  openKeyRing,
  retireKeys,
  rotateKeyRing,
} from '../../gateway/token/ring-file.ts'
import { listKeys, throwawayKeyRing } from '../../gateway/token/ring.ts'

const ports = { clock: systemClock, random: randomBytes }

describe('key ring', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'ring-')), 'keys')
    file = join(folder, 'tokens.json')
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

  const refused = (act: () => unknown, detail: RegExp) =>
    expect(act).to.throw(Problem, detail).with.property('slug', 'key-unusable')

  it('is made once, for its owner alone, and opens again', () => {
    const made = generateKeyRing(folder, ports)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(statSync(folder).mode & 0o777).to.equal(0o700)
    const opened = openKeyRing(folder)
    expect(opened.current.key.equals(made.current.key)).to.equal(true)
    expect(opened.links.equals(made.links)).to.equal(true)
    refused(() => generateKeyRing(folder, ports), /exists/)
    expect(openKeyRing(folder).current.key.equals(made.current.key)).to.equal(true)
  })

  it('rotates into a new epoch and keeps the old version', () => {
    const first = generateKeyRing(folder, ports)
    rotateKeyRing(folder, ports, { epoch: '2026-Q4' })
    const ring = openKeyRing(folder)
    expect(listKeys(ring).map(({ created: _, ...row }) => row)).to.deep.equal([
      { version: 1, epoch: 'e1', state: 'accepted' },
      { version: 2, epoch: '2026-Q4', state: 'current' },
    ])
    expect(ring.find(1)?.key.equals(first.current.key)).to.equal(true)
    expect(ring.links.equals(first.links)).to.equal(true)
    refused(() => rotateKeyRing(folder, ports, { epoch: 'e1' }), /`e1` was used before/)
  })

  it('erases retired keys from the file', () => {
    const first = generateKeyRing(folder, ports)
    const erased = first.current.key.export().toString('base64url')
    rotateKeyRing(folder, ports)
    expect(readFileSync(file, 'utf8')).to.include(erased)
    const ring = retireKeys(folder, 2)
    expect(readFileSync(file, 'utf8')).to.not.include(erased)
    expect(ring.find(1)).to.equal(undefined)
    expect(listKeys(ring).map(({ state }) => state)).to.deep.equal(['retired', 'current'])
    for (const version of [1, 3, 1.5, Number.NaN]) {
      refused(() => retireKeys(folder, version), /expected a version from 2 to 2/)
    }
  })

  it('refuses a file that others may read, and says what to type', () => {
    generateKeyRing(folder, ports)
    for (const mode of [0o640, 0o604, 0o660, 0o644, 0o620]) {
      chmodSync(file, mode)
      refused(() => openKeyRing(folder), /chmod 600 /)
    }
  })

  it('refuses an absent ring', () => {
    refused(() => openKeyRing(folder), /sealgate keys generate/)
  })

  // prettier-ignore
  const BROKEN: { name: string; edit: (text: string) => string; detail: RegExp }[] = [
    { name: 'other format',         edit: (t) => t.replace('ring/1', 'ring/2'),                 detail: /format/ },
    { name: 'cut short',            edit: (t) => t.slice(0, -9),                                detail: /not JSON/ },
    { name: 'no versions',          edit: (t) => t.replace(/"versions": \[[\s\S]*\]/, '"versions": []'), detail: /needs 1 to/ },
    { name: 'short key',            edit: (t) => t.replace(/("key": ")../, '$1'),               detail: /base64url|32 bytes/ },
    { name: 'version gap',          edit: (t) => t.replace('"version": 2', '"version": 3'),     detail: /no key for its accepted/ },
    { name: 'unknown member',       edit: (t) => t.replace('{', '{ "extra": 1,'),               detail: /canonical/ },
    { name: 'minimum beyond',       edit: (t) => t.replace('"minimumAccepted": 1', '"minimumAccepted": 9'), detail: /no key/ },
    { name: 'retired key kept',     edit: (t) => t.replace('"minimumAccepted": 1', '"minimumAccepted": 2'), detail: /canonical/ },
    { name: 'minimum as text',      edit: (t) => t.replace('"minimumAccepted": 1', '"minimumAccepted": "1"'), detail: /canonical/ },
  ]
  for (const { name, edit, detail } of BROKEN) {
    it(`refuses a broken file: ${name}`, () => {
      generateKeyRing(folder, ports)
      rotateKeyRing(folder, ports)
      const text = edit(readFileSync(file, 'utf8'))
      writeFileSync(file, text, { mode: 0o600 })
      refused(() => openKeyRing(folder), detail)
    })
  }

  it('prints no key', () => {
    const ring = throwawayKeyRing()
    const key = ring.current.key.export()
    const printed = inspect(ring, { depth: 9 }) + JSON.stringify(ring)
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(printed).to.not.include(key.toString(encoding))
    }
  })
})
