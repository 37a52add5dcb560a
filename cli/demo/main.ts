/** `npm run demo`: a whole small loan through a real gateway, from an empty folder to a verified record. @module */
import { Command } from 'commander'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { compareBodies } from './compare.ts'
import { makeToken } from './parties.ts'
import { sealgate } from './processes.ts'
import { type Answer, openScene, type Scene, send } from './scene.ts'

interface Step {
  readonly step: string
  readonly title: { readonly zh: string; readonly en: string }
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly body: string
}

const LENDING = new URL('../../test/fixtures/lending/', import.meta.url)
/** The step whose record the demo opens: the one that carries the most personal data. */
const SHOWN = 'application'
const EXPORT_TRIES = 50
const EXPORT_PAUSE_MS = 100

const say = (text = '') => process.stdout.write(`${text}\n`)
const heading = (text: string) => say(`\n${styleText('bold', text)}`)
const fixture = (name: string) => readFileSync(new URL(name, LENDING), 'utf8')

/** Sends the loan's messages in order; the bank's messages carry the tokens that it received. */
async function relayLoan(
  scene: Scene,
): Promise<Map<string, { step: Step; sent: string; answer: Answer }>> {
  const done = new Map<string, { step: Step; sent: string; answer: Answer }>()
  const steps: Step[] = JSON.parse(fixture('loan.json'))
  for (const [index, step] of steps.entries()) {
    const sent = fixture(step.body).replaceAll(/\{\{token:(\w+)\}\}/g, (_, name) =>
      tokenOfBank(scene, step.step, name),
    )
    const answer = await send(scene, { ...step, body: sent })
    const line = `${index + 1}  ${step.title.zh} ${step.title.en}`.padEnd(32)
    const parties = `${step.from} → ${step.to}`.padEnd(34)
    say(
      `  ${line} ${parties} ${answer.status}  Evidence-Id ${answer.evidenceId}  ${answer.milliseconds.toFixed(1)} ms`,
    )
    if (answer.status !== 200) throw new Error(`the ${step.step} was refused: ${answer.body}`)
    done.set(step.step, { step, sent, answer })
  }
  return done
}

/** What the bank keeps of the borrower: the token, never the value. Each purpose has a token of its own. */
function tokenOfBank({ bank }: Scene, step: string, name: string): string {
  const path = step === 'overdue' ? '/repayments' : '/credit/applications'
  const body = JSON.parse(bank.received.find((message) => message.path === path)?.body ?? '{}')
  return (body.payer ?? body.applicant)?.[name] ?? ''
}

/** Exports a record; it enters the log a moment after the answer, so the first try may come too early. */
async function exportRecord(scene: Scene, evidenceId: string, file: string): Promise<void> {
  const parameters = ['evidence', 'export', evidenceId, '--config', scene.config, '--out', file]
  for (let left = EXPORT_TRIES; ; left--) {
    const { status, output } = sealgate(...parameters)
    if (status === 0) return
    if (left === 0) throw new Error(`the record was not exported:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, EXPORT_PAUSE_MS))
  }
}

/** Runs `sealgate verify` and prints what it prints. */
function verify(file: string, trust: string, want: number): void {
  say(styleText('dim', `$ npx sealgate verify ${file} --trust ${trust}`))
  const { status, output } = sealgate('verify', file, '--trust', trust)
  say(output.trimEnd())
  if (status !== want) throw new Error(`verify ended with ${status}, expected ${want}`)
}

/** Makes the record one year older by changing one byte of what was signed, as somebody with an interest would. */
function flipOneByte(file: string, flipped: string): void {
  const bundle: { record: string } = JSON.parse(readFileSync(file, 'utf8'))
  const [header, payload, signature] = bundle.record.split('.')
  const signed = Buffer.from(payload ?? '', 'base64url').toString('utf8')
  const changed = signed.replace(/"received":"(\d{3})\d/, (found) => `${found.slice(0, -1)}5`)
  const record = [header, Buffer.from(changed).toString('base64url'), signature].join('.')
  writeFileSync(flipped, JSON.stringify({ ...bundle, record }, null, 2))
}

function printInvitation({ folder, relay }: Scene): void {
  heading('Your turn')
  say(
    'The gateway stays up until you press Ctrl-C. Change the body, leave a field out, add one; see what the bank gets:',
  )
  say(
    `\n  curl -i ${relay}/harbour-bank/credit/applications \\\n` +
      `    -H "Authorization: Bearer $(npm run -s demo -- --token ${folder})" \\\n` +
      `    -H 'Content-Type: application/json' -d @test/fixtures/lending/02-application.json\n`,
  )
}

async function show(scene: Scene): Promise<void> {
  heading('A small loan crosses the gateway (all data synthetic)')
  const loan = await relayLoan(scene)
  const shown = loan.get(SHOWN)
  if (shown === undefined) throw new Error(`the loan has no step ${SHOWN}`)
  const arrived = scene.bank.received.find(({ path }) => path === shown.step.path)?.body ?? '{}'

  heading(`${shown.step.title.zh} ${shown.step.title.en}: before → after`)
  say(compareBodies(shown.sent, arrived))

  heading(`The sealed record ${shown.answer.evidenceId}`)
  const file = join(scene.folder, 'record.json')
  const trust = join(scene.folder, 'data', 'trust.json')
  await exportRecord(scene, shown.answer.evidenceId, file)
  verify(file, trust, 0)

  heading('The same record with one byte changed: received a year earlier')
  const flipped = join(scene.folder, 'record-flipped.json')
  flipOneByte(file, flipped)
  verify(flipped, trust, 1)
}

async function main(): Promise<void> {
  const program = new Command('demo')
    .option('--once', 'exit when the demo has been shown')
    .option('--queue <url>', 'embedded, or redis://…', 'embedded')
    .option('--token <folder>', 'print a fresh JWT of the sample platform of a running demo')
    .parse()
  const options = program.opts<{ once?: boolean; queue: string; token?: string }>()
  if (options.token !== undefined) {
    say(await makeToken(join(options.token, 'party-keys'), 'sunrise-platform', 'harbour-bank'))
    return
  }
  const scene = await openScene(options.queue)
  say(`data folder ${scene.folder} · relay ${scene.relay} · queue ${options.queue}`)
  try {
    await show(scene)
    if (options.once === true) return
    printInvitation(scene)
    await new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve)
    })
  } finally {
    await scene.close()
  }
}

await main()
