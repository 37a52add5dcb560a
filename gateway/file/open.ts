/** Wires a desk: policies and keys of the installation, a journal and a chain of its own. @module */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Report } from '../../base/diagnostic.ts'
import { Problem } from '../../base/problem.ts'
import type { OpenRecorder } from '../../evidence/recorder.ts'
import { fromShelf } from '../../evidence/shelf.ts'
import { createRedisPersist } from '../../workers/redis.ts'
import type { Persister } from '../../workers/embedded.ts'
import { openAdminSecret } from '../admin-secret.ts'
import type { Config } from '../config.ts'
import { type Content, openContent } from '../content.ts'
import { type Alarm, openFileRecorder } from '../evidence.ts'
import { routeName } from '../http/facts.ts'
import { guardOf } from '../http/long.ts'
import { type Logger, describeError } from '../log.ts'
import { policyArchive } from '../places.ts'
import { createPolicyArchive } from '../policy/archive.ts'
import type { Route } from '../route.ts'
import { steerBy } from '../steer.ts'
import type { Progress } from '../stream/passage.ts'
import { openVaultStore } from '../token/vault-file.ts'
import { type BodyFormat, contentTypeOf, readFormat } from '../transform/format.ts'
import { createDesk, type Desk, type FileBegun } from './desk.ts'
import { handOverTo } from './hand-over.ts'
import type { FileReport } from './state.ts'
import { openStates } from './state.ts'
import { deskFolder } from './status.ts'
import { openTeller } from './teller.ts'

/** What the command line sets. */
export interface FileOptions {
  readonly config: Config
  /** The id of a policy in force. */
  readonly policy: string
  /** Media type of the files, when the policy has no `body`. */
  readonly mediaType: string | undefined
  readonly log: Logger
  readonly report: Report
  readonly begin: (file: FileBegun, progress: () => Progress) => void
  /** Where the admin listener of the running gateway is called. */
  readonly admin: string
}

/** An open desk. */
export interface OpenDesk {
  readonly desk: Desk
  /** Told of what lies in the drop folder. */
  readonly waiting: (whole: number, incomplete: number) => void
  close(): Promise<void>
}

/**
 * Opens a desk for one policy. One process serves one policy at a time: the journal's lock sees to it.
 *
 * @returns undefined when policies or kinds are wrong; `report` then says what.
 * @throws {Problem} `route-unknown`, `media-type-unsupported`, `policy-refused`; and as the recorder.
 */
export async function openDesk(options: FileOptions): Promise<OpenDesk | undefined> {
  const { config, policy: id, log, report } = options
  const clock: Clock = systemClock
  const alarm: Alarm = (message, error) => log.error({ error: describeError(error) }, message)
  const vault = openVaultStore(':memory:') // What a vault answers comes later than a row can wait.
  const events = { reloaded: () => undefined, rejected: () => alarm('the policies are not valid') }
  const archive = createPolicyArchive(policyArchive(config.data), alarm)
  const content = await openContent(config, { clock, vault, archive }, report, events)
  if (content === undefined) return undefined
  const opened: (() => unknown)[] = [() => vault.close(), () => content.close()]
  const close = async () => {
    for (const end of opened.toReversed()) await end()
  }
  try {
    const route = () => routeOf(content.current(), id)
    const format = () => formatOf(route(), options.mediaType)
    checkRoute(route())
    format() // Throws now rather than at the first file.
    const folder = deskFolder(config.data, id)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const states = openStates(join(folder, 'state'))
    const sink = await openSink(options, alarm)
    opened.push(() => sink.close())
    const recorder: OpenRecorder = await openFileRecorder(config, {
      folder: join(folder, 'journal'),
      clock,
      alarm,
      persist: fromShelf(async (records) => {
        // Before the log has them the journal may not forget them; after that the mark knows.
        for (const { rid } of records) await states.mark(rid)
        await sink.persist(records)
      }),
    })
    opened.push(() => recorder.close())
    // From here on this process alone has the folder: the journal is locked.
    const teller = openTeller(folder, { clock, policy: id, alarm })
    opened.push(() => teller.close())
    archive.sealBy(recorder.note)
    const { guard, pseudonym } = steerBy(content.current)
    const look = { headers: [], query: '', body: Buffer.alloc(0), mediaType: '' }
    const desk = createDesk({
      clock,
      recorder,
      states,
      route,
      format,
      guard: (bytes, part) => guardOf({ guard }, route().policy, 'request', format())(bytes, part),
      guardName: (name) => guard(route().policy, 'request', { ...look, path: `/${name}` }),
      pseudonym,
      begin: (file, progress) => {
        options.begin(file, progress)
        const { policy } = route()
        const { record, total } = file
        const ways = { caller: policy.from, recipient: policy.to, route: routeName(policy) }
        return teller.begin({ record, total, ...ways }, progress)
      },
    })
    return { desk: toldBy(desk, teller.ended), waiting: teller.waiting, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A desk whose reports go to somebody else, too. */
function toldBy(desk: Desk, ended: (report: FileReport) => void): Desk {
  return {
    resume: async () => {
      const reports = await desk.resume()
      reports.forEach(ended)
      return reports
    },
    take: async (input, ways) => {
      const report = await desk.take(input, ways)
      ended(report)
      return report
    },
  }
}

/** Where sealed records go: the queue, or the running gateway that holds the log. */
async function openSink({ config, admin }: FileOptions, alarm: Alarm): Promise<Persister> {
  if (config.queue.kind === 'redis') return createRedisPersist(config.queue.url, { alarm })
  const persist = handOverTo(admin, openAdminSecret(config.data))
  return { persist, close: () => Promise.resolve() }
}

function routeOf({ registry }: Content, id: string): Route {
  const found = registry.active.find(({ policy }) => policy.id === id && policy.mode === 'enforce')
  if (found === undefined) throw new Problem('route-unknown', `no policy \`${id}\` is in force`)
  return { policy: found.policy, compiled: found.route }
}

function formatOf({ policy }: Route, mediaType: string | undefined): BodyFormat {
  const { body } = policy.request
  const plain = body === undefined ? 'text/csv' : contentTypeOf(body)
  return readFormat(mediaType ?? plain, body)
}

/** What files cannot have is told before any is taken. */
function checkRoute({ policy }: Route): void {
  if (policy.evidence.custody === 'sealed') {
    throw new Problem('policy-refused', 'originals of files are not kept: write `custody: none`')
  }
  if (policy.request.envelope !== undefined) {
    throw new Problem('policy-refused', 'a file is in no envelope')
  }
}
