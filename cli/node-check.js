// Runs before anything else, so that an old Node answers with a sentence and not with a stack trace.
if (!process.features.typescript) {
  process.stderr.write(
    `sealgate needs Node ^24.12 or >= 26 (this is ${process.version}, from ${process.execPath}).\n` +
      'help: run `npm ci` without `--omit=optional`: it brings a fitting Node along; then use `npm run …` or `npx sealgate …`\n',
  )
  process.exit(2)
}
