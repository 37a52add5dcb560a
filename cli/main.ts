/** The `sealgate` command. @module */
import { Command } from 'commander'
import { failOn, readConfig } from './config.ts'
import { addReveal } from './custody.ts'
import { addDeposit } from './deposit.ts'
import { addEvidence } from './evidence.ts'
import { addFile } from './file.ts'
import { addGm } from './gm.ts'
import { addKeys } from './keys.ts'
import { addLog } from './log.ts'
import { addPolicyCommands } from './policy.ts'
import { addServe } from './serve.ts'
import { addVerify } from './verify.ts'
import { addWitness } from './witness.ts'
import { addWorker } from './worker.ts'

/** What a shell shows of a command whose reader went away (SIGPIPE). */
const EXIT_PIPE = 141

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT_PIPE)
})
const program = new Command('sealgate')
  .description('privacy-preserving gateway that leaves court-ready evidence')
  .showHelpAfterError()
addServe(program)
addWorker(program, readConfig)
addPolicyCommands(program)
addVerify(program)
addEvidence(program, readConfig)
addReveal(program, readConfig)
addDeposit(program, readConfig)
addFile(program, readConfig)
addLog(program, readConfig)
addKeys(program)
addWitness(program)
addGm(program, readConfig)
await program.parseAsync().catch(failOn)
