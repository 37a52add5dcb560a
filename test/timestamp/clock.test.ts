import { expect } from 'chai'
import type { Clock } from '../../base/clock.ts'
import {
  readClockState,
  runCommand,
  type RunCommand,
  startClockWatch,
} from '../../workers/clock.ts'

// From chronyc(1) of chrony 4, with another source.
const TRACKING =
  'C0000201,192.0.2.1,3,1764000000.123456789,-0.000012345,0.000001,0.000045,-9.1,0.001,0.05,0.002000001,0.000750000,64.2,Normal\n'
const answers =
  (table: Record<string, string>): RunCommand =>
  async (command) =>
    table[command]

describe('the state of the clock', () => {
  // prettier-ignore
  const TABLE = [
    { name: 'chrony\'s numbers',            table: { chronyc: TRACKING, timedatectl: 'no\n' },                        want: { source: 'chrony', synced: true, offsetUs: -12, errorUs: 1762 } },
    { name: 'that chrony has lost time',    table: { chronyc: TRACKING.replace('Normal', 'Not synchronised') },       want: { source: 'chrony', synced: false, offsetUs: -12, errorUs: 1762 } },
    { name: 'systemd\'s yes',               table: { timedatectl: 'yes\n' },                                          want: { source: 'systemd', synced: true } },
    { name: 'systemd\'s no',                table: { timedatectl: 'no\n' },                                           want: { source: 'systemd', synced: false } },
    { name: 'systemd behind a broken line', table: { chronyc: '506 Cannot talk to daemon\n', timedatectl: 'yes\n' },  want: { source: 'systemd', synced: true } },
    { name: 'that nobody knows',            table: {},                                                                want: { source: 'none', synced: false } },
    { name: 'that an answer is unreadable', table: { chronyc: TRACKING.replace('-0.0', 'x'), timedatectl: 'maybe\n' }, want: { source: 'none', synced: false } },
  ]
  for (const { name, table, want } of TABLE) {
    it(`tells ${name}`, async () => {
      const { output, ...state } = await readClockState(answers(table))
      expect(state).to.deep.equal(want)
      if (want.source === 'none') expect(output).to.equal(undefined)
      else expect(output).to.match(/^sha256:[0-9a-f]{64}$/)
    })
  }

  it('is read from this machine, whatever it has', async () => {
    expect(await runCommand('/nonexistent/command', [])).to.equal(undefined)
    expect(['chrony', 'systemd', 'none']).to.include((await readClockState(runCommand)).source)
  })
})

describe('the clock watch', () => {
  let wallUs = 0n
  const clock: Clock = { wallUs: () => wallUs, monotonicNs: () => 0n }
  const start = async (tracking: string) => {
    const notes: object[] = []
    const alarms: string[] = []
    const watch = await startClockWatch({
      clock,
      run: answers({ chronyc: tracking }),
      note: async (facts) => notes.push(facts),
      alarm: (message) => alarms.push(message),
    })
    await watch.close()
    return { watch, notes, alarms }
  }

  it('seals what it sees', async () => {
    const { watch, notes, alarms } = await start(TRACKING)
    expect(notes).to.have.length(1)
    expect(notes[0]).to.include({ source: 'chrony', synced: true, driftUs: 0, jumped: false })
    expect(watch.withinLimits()).to.equal(true)
    expect(alarms).to.deep.equal([])
  })

  it('says so when the clock is far off', async () => {
    const { watch, alarms } = await start(TRACKING.replace('-0.000012345', '-1.5'))
    expect(watch.withinLimits()).to.equal(false)
    expect(alarms).to.deep.equal(['the clock is beyond its limits: its error is over 1 s'])
  })

  it('notices at once, and for good, that the clock was set', async () => {
    const { watch } = await start(TRACKING)
    wallUs += 3_600_000_000n
    expect(watch.withinLimits()).to.equal(false)
    wallUs -= 3_600_000_000n
    expect(watch.withinLimits()).to.equal(false)
  })
})
