/** A seal identity that outlives the killed process. @module */
import { systemClock } from '../../../base/clock.ts'
import type { SealKey } from '../../../evidence/seal.ts'
import { openSealIdentity } from '../../../evidence/x509-identity.ts'

export function fileIdentity(folder: string): Promise<SealKey> {
  return openSealIdentity(folder, { organization: 'Test', instance: 'victim', clock: systemClock })
}
