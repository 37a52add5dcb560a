import type { Clock } from '../../base/clock.ts'
import { encodeRecord, startRecord } from '../../evidence/renewal/record.ts'
import { renewHashes, renewTimestamps } from '../../evidence/renewal/renew.ts'
import { digest } from '../../evidence/timestamp/verify.ts'
import { createEvidenceMaker } from '../renewal/maker.ts'
import { BOUNCY_CASTLE_PROBE, expectVerdicts } from './bouncycastle.ts'
import { describeForeign, makeFolder } from './tool.ts'

describeForeign('BouncyCastle on evidence records', BOUNCY_CASTLE_PROBE, () => {
  const folder = makeFolder()
  after(() => folder.remove())
  const YEAR_MS = 365 * 86_400_000
  let nowMs = Date.now() - 5 * YEAR_MS
  const clock: Clock = {
    wallUs: () => BigInt(nowMs) * 1000n,
    monotonicNs: () => BigInt(nowMs) * 1_000_000n,
  }

  it('validates ours, fresh and renewed twice, and refuses mutated ones', async () => {
    const data = Array.from({ length: 3 }, (_, index) => Buffer.from(`checkpoint ${index}\n`))
    const maker = await createEvidenceMaker(clock)
    const first = []
    for (const each of data)
      first.push(startRecord(await maker.stamp('SHA-256', await digest('SHA-256', each))))
    nowMs += 2 * YEAR_MS
    await maker.renewCertificate()
    const second = await renewTimestamps(first, maker.stamp)
    nowMs += 2 * YEAR_MS
    await maker.renewCertificate()
    const items = second.map((record, index) => ({ record, data: data[index] as Buffer }))
    const third = await renewHashes(items, 'SHA-512', maker.stamp)

    const args: string[] = []
    const want: string[] = []
    const add = (name: string, bytes: Uint8Array, content: Uint8Array, valid: boolean) => {
      args.push(folder.put(name, bytes), folder.put(`${name}.data`, content))
      want.push(`${name} ${valid ? 'valid' : 'refused'}`)
    }
    for (const [index, content] of data.entries()) {
      for (const [name, records] of Object.entries({ first, second, third })) {
        const record = records[index]
        if (record === undefined) throw new Error('no record')
        const bytes = encodeRecord(record)
        add(`${name}-${index}`, bytes, content, true)
        add(`${name}-${index}-other`, bytes, Buffer.from('other'), false)
        const mutated = Uint8Array.from(bytes)
        // The last byte of the last token's signature.
        mutated[mutated.length - 1] = (mutated.at(-1) ?? 0) ^ 1
        add(`${name}-${index}-mutated`, mutated, content, false)
      }
    }
    expectVerdicts('Ers', args, want, folder.path)
  }).timeout(60_000)
})
