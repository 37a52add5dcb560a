/**
 * Sealgate in a process of its own, with the parts left out that the benchmark names, to see what they
 * cost; no configuration of the product leaves them out. `gateway.ts CONFIG [PART,…]` @module
 */
import { readConfig } from '../../cli/config.ts'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import type { Recorder } from '../../evidence/record.ts'
import { createLogger } from '../../gateway/log.ts'
import { type RelayParts, startGateway } from '../../gateway/serve.ts'

/** What can be left out, and what then stands in its place. */
const WITHOUT: Readonly<Record<string, (parts: RelayParts) => RelayParts>> = {
  evidence: (parts) => ({ ...parts, recorder: recordNothing(parts.recorder) }),
  guard: (parts) => ({ ...parts, guard: () => {} }),
  signature: (parts) => ({
    ...parts,
    signer: { ...parts.signer, sign: () => ({ input: '', signature: '' }) },
  }),
  credentials: (parts) => ({ ...parts, parties: believeEverybody(parts.parties) }),
}

const [file = '', left = ''] = process.argv.slice(2)
const parts = left.split(',').filter((name) => name !== '')
const report = createReport()
const gateway = await startGateway(await readConfig(file), {
  log: createLogger('warn'),
  report,
  refit: (all) => parts.reduce((rest, name) => changeOf(name)(rest), all),
})
if (gateway === undefined) throw new Error(renderReport(report))
process.stdout.write(`ready ${new URL(gateway.relayUrl).port}\n`)
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))

function changeOf(name: string): (parts: RelayParts) => RelayParts {
  const change = WITHOUT[name]
  if (change === undefined)
    throw new Error(`no part \`${name}\`; there are ${Object.keys(WITHOUT)}`)
  return change
}

function recordNothing({ body }: Recorder): Recorder {
  const nothing = async () => {}
  return { intend: nothing, conclude: nothing, refuse: nothing, close: nothing, body }
}

function believeEverybody(parties: RelayParts['parties']): RelayParts['parties'] {
  const party = parties.get('sunrise-platform')
  if (party === undefined) throw new Error('the installation has no caller')
  return { ...parties, identify: async () => ({ party, method: 'jwt', key: '' }) }
}
