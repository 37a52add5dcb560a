/** mocha's spec reporter, closed by one plain line that any CI can read. @module */
import Mocha from 'mocha'

export class TallyReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    const skipped = pending > 0 ? `, ${pending} skipped` : ''
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
  }
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter module's default export.
export default TallyReporter
