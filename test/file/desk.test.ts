import { expect } from 'chai'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { createReport } from '../../base/diagnostic.ts'
import type { SealedRecord } from '../../evidence/record.ts'
import type { OpenRecorder } from '../../evidence/recorder.ts'
import { fromShelf } from '../../evidence/shelf.ts'
import type { Config } from '../../gateway/config.ts'
import { type Content, openContent } from '../../gateway/content.ts'
import { openFileRecorder } from '../../gateway/evidence.ts'
import { createDesk, type DeskPorts, Undecided } from '../../gateway/file/desk.ts'
import { openStates, type States } from '../../gateway/file/state.ts'
import type { Live } from '../../gateway/policy/live.ts'
import { steerBy } from '../../gateway/steer.ts'
import { openVaultStore } from '../../gateway/token/vault-file.ts'
import { readFormat } from '../../gateway/transform/format.ts'
import { createInstallation, type Installation } from '../support/installation.ts'
import { fileOf, md5Of, POLICY, toGbk } from './support.ts'

class Crash extends Error {}

type Step = 'put' | 'record' | 'mark' | 'remove'
const STEPS: readonly Step[] = ['put', 'record', 'mark', 'remove']

describe('the desk of files, cut off at each step', function () {
  this.timeout(60_000)
  let installation: Installation
  let config: Config
  let content: Live<Content>
  const vault = openVaultStore(':memory:')

  before(async () => {
    installation = await createInstallation('http://127.0.0.1:9')
    const policies = join(installation.folder, 'policies')
    for (const name of readdirSync(policies)) {
      if (name.endsWith('.yaml') && name !== 'kinds.yaml') rmSync(join(policies, name))
    }
    installation.addPolicy('repayments.yaml', POLICY)
    const gateway = await installation.start()
    await gateway.close()
    config = installation.config()
    const archive = { keep: () => true }
    const events = { reloaded: () => undefined, rejected: () => undefined }
    const ports = { clock: systemClock, vault, archive }
    const opened = await openContent(config, ports, createReport(), events)
    if (opened === undefined) throw new Error('no content')
    content = opened
  })
  after(() => {
    content.close()
    vault.close()
    installation.remove()
  })

  /** One life of the command. Everything that was persisted is added to `log`. */
  async function live(
    folder: string,
    log: SealedRecord[],
    act: (ports: DeskPorts, recorder: OpenRecorder) => Promise<void>,
    wrap: (ports: DeskPorts) => DeskPorts = (ports) => ports,
  ): Promise<void> {
    const states = openStates(join(folder, 'state'))
    const recorder = await openFileRecorder(config, {
      folder: join(folder, 'journal'),
      clock: systemClock,
      alarm: () => undefined,
      persist: fromShelf(async (records) => {
        for (const { rid } of records) await states.mark(rid)
        log.push(...records)
      }),
    })
    const [active] = content.current().registry.active
    if (active === undefined) throw new Error('no policy')
    const { guard, pseudonym } = steerBy(content.current)
    const ports: DeskPorts = {
      clock: systemClock,
      recorder,
      states,
      route: () => ({ policy: active.policy, compiled: active.route }),
      format: () => readFormat('text/csv', active.policy.request.body),
      guard: (body) =>
        guard(active.policy, 'request', {
          headers: [],
          path: '',
          query: '',
          body,
          mediaType: 'text/csv',
        }),
      guardName: () => undefined,
      pseudonym,
      begin: () => () => undefined,
    }
    try {
      await act(wrap(ports), recorder)
    } finally {
      await recorder.close()
    }
  }

  /** Throws at one step, before it took effect or after. */
  function cutAt(step: Step, when: 'lost' | 'applied'): (ports: DeskPorts) => DeskPorts {
    const cut = <Args extends unknown[]>(name: Step, call: (...args: Args) => Promise<void>) =>
      name !== step
        ? call
        : async (...args: Args) => {
            if (when === 'applied') await call(...args)
            throw new Crash(name)
          }
    return (ports) => {
      const { states, recorder } = ports
      const faulty: States = {
        ...states,
        put: cut('put', states.put),
        mark: cut('mark', states.mark),
        remove: cut('remove', states.remove),
      }
      const { complete, refuse } = recorder
      const cutting = { complete: cut('record', complete), refuse: cut('record', refuse) }
      return { ...ports, states: faulty, recorder: { ...recorder, ...cutting } }
    }
  }

  for (const kind of ['a good file', 'a bad file'] as const) {
    for (const step of STEPS) {
      for (const when of ['lost', 'applied'] as const) {
        it(`${kind}: ${step} ${when}`, async () => {
          const folder = join(installation.folder, `${kind}-${step}-${when}`.replaceAll(' ', '-'))
          const [drop, out] = [join(folder, 'in'), join(folder, 'out')]
          const log: SealedRecord[] = []
          for (const path of [drop, out]) mkdirSync(path, { recursive: true })
          const input = join(drop, 'f.txt')
          const bytes = toGbk(fileOf(3, kind === 'a bad file' ? ['x'] : []))
          writeFileSync(input, bytes)
          writeFileSync(`${input}.md5`, md5Of(bytes))
          const ways = {
            output: join(out, 'f.txt'),
            companions: ['md5'] as const,
            done: join(drop, 'done'),
            refused: join(drop, 'refused'),
            reportAt: join(drop, 'refused', 'f.txt.report.json'),
          }
          let stopped: unknown
          const first = async (ports: DeskPorts) => {
            const taken = createDesk(ports).take(input, ways)
            stopped = await taken.catch((error: unknown) => error)
          }
          await live(folder, log, first, cutAt(step, when))
          expect(stopped).to.be.instanceOf(Undecided)
          await live(folder, log, async (ports) => {
            const desk = createDesk(ports)
            await desk.resume()
            if (existsSync(input)) await desk.take(input, ways)
          })
          expect(existsSync(input), 'the input has moved').to.equal(false)
          expect(readdirSync(join(folder, 'state'))).to.deep.equal([])
          const rids = new Set(log.filter(({ kind: of }) => /exchange|refusal/.test(of)).map(({ rid }) => rid)) // prettier-ignore
          expect(rids.size, 'one record').to.equal(1)
          if (kind === 'a good file') {
            expect(readdirSync(out)).to.deep.equal(['f.txt', 'f.txt.md5'])
            expect(readFileSync(`${ways.output}.md5`, 'utf8')).to.include(
              md5Of(readFileSync(ways.output)),
            )
            expect(readdirSync(ways.done)).to.deep.equal(['f.txt', 'f.txt.md5'])
          } else {
            expect(readdirSync(out)).to.deep.equal([])
            expect(readdirSync(ways.refused)).to.deep.equal([
              'f.txt',
              'f.txt.md5',
              'f.txt.report.json',
            ])
          }
        })
      }
    }
  }

  it('leaves a new file alone that took the name of one that was decided', async () => {
    const folder = join(installation.folder, 'renewed')
    const [drop, out] = [join(folder, 'in'), join(folder, 'out')]
    for (const path of [drop, out]) mkdirSync(path, { recursive: true })
    const input = join(drop, 'f.txt')
    writeFileSync(input, toGbk(fileOf(1)))
    const ways = { output: join(out, 'f.txt'), companions: [], done: join(drop, 'done'), reportAt: join(drop, 'r') } // prettier-ignore
    const log: SealedRecord[] = []
    const first = async (ports: DeskPorts) => {
      await createDesk(ports)
        .take(input, ways)
        .catch(() => undefined)
    }
    await live(folder, log, first, cutAt('mark', 'lost'))
    rmSync(input)
    writeFileSync(input, toGbk(fileOf(2)))
    await live(folder, log, async (ports) => {
      await createDesk(ports).resume()
    })
    expect(existsSync(ways.output)).to.equal(true)
    expect(readFileSync(input).equals(toGbk(fileOf(2)))).to.equal(true)
  })
})
