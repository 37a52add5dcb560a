// CI has every tool, so there nothing may be skipped; elsewhere what needs a missing tool is shown as pending.
module.exports = {
  reporter: './test/reporter.ts',
  timeout: 20000,
  slow: 500,
  forbidOnly: true,
  forbidPending: process.env.CI === 'true',
}
