// mocha adds the files of its configuration to those on the command line: without this, one file would be all.
const isGiven = process.argv.some((word) => word.endsWith('.test.ts'))

// CI has every tool, so there nothing may be skipped; elsewhere what needs a missing tool is shown as pending.
module.exports = {
  spec: isGiven ? [] : ['test/**/*.test.ts'],
  reporter: './test/reporter.ts',
  timeout: 20000,
  slow: 500,
  forbidOnly: true,
  forbidPending: process.env.CI === 'true',
}
