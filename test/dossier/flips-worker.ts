/** One worker of the flips test. @module */
import { parentPort, workerData } from 'node:worker_threads'
import { parseTrust } from '../../evidence/verify-trust.ts'
import { flipContainer, flipFiles, flipParts, type Share } from './flips.ts'

const { zip, trust, share, kind } = workerData as {
  zip: Uint8Array
  trust: string
  share: Share
  kind: 'container' | 'files' | 'parts'
}
const run = {
  container: () => flipContainer(zip, share),
  files: () => flipFiles(zip, share),
  parts: () => flipParts(zip, parseTrust(trust), share),
}
parentPort?.postMessage(await run[kind]())
