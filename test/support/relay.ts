/**
 * What a suite relays through: a recipient, an installation that names it, a gateway between;
 * mocha's hooks set it up and remove it. @module
 */
import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from '../../gateway/serve.ts'
import { type Answer, call } from './client.ts'
import { createInstallation, type Installation } from './installation.ts'
import { type Sending, startSending } from './long.ts'
import { runCommand, spawnGateway } from './process.ts'
import { findRecord } from './records.ts'
import { type Send, uploader } from './uploads.ts'

/** The loan application of the fixtures. */
export const APPLICATION = readFileSync(
  new URL('../fixtures/lending/02-application.json', import.meta.url),
)
/** Where it is sent. */
export const APPLICATIONS = '/harbour-bank/credit/applications'

type Headers = Readonly<Record<string, string>>

interface Recipient {
  readonly url: string
  /** Forgets what it was sent, and answers as at first. */
  forget(): void
  close(): Promise<void>
}

/** Inside hooks and tests alone: before them there is neither recipient nor installation. */
interface Site<R> {
  readonly recipient: R
  readonly installation: Installation
  /** The one that was started last. */
  readonly gateway: Pick<Gateway, 'relayUrl' | 'adminUrl'>
}

/**
 * Sets a relay up before a suite and removes it afterwards; no gateway runs until it is started.
 *
 * @param each whether every test has its own; otherwise the recipient forgets between them.
 */
export function useRelay<R extends Recipient>(
  startRecipient: () => Promise<R>,
  { each = false, install = (url: string) => createInstallation(url) } = {},
) {
  let recipient: R
  let installation: Installation
  let gateway: Site<R>['gateway']
  let close: () => Promise<unknown> = async () => undefined

  const [setUp, tearDown] = each ? [beforeEach, afterEach] : [before, after]
  setUp(async () => {
    recipient = await startRecipient()
    installation = await install(recipient.url)
  })
  tearDown(async () => {
    await stop()
    await recipient.close()
    installation.remove()
  })
  if (!each) beforeEach(() => recipient.forget())

  const site: Site<R> = {
    get recipient() {
      return recipient
    },
    get installation() {
      return installation
    },
    get gateway() {
      return gateway
    },
  }
  const stop = async () => {
    await close()
    close = async () => undefined
  }
  return Object.assign(site, reading(site), calling(site), {
    stop,
    /** Starts the gateway in this process, in place of the one that runs. */
    start: async (options: Parameters<Installation['start']>[0] = {}) => {
      await stop()
      const started = await installation.start(options)
      close = () => started.close()
      gateway = started
      return started
    },
    /** Starts the gateway as a process of its own, in place of the one that runs. */
    spawn: async () => {
      await stop()
      const started = await spawnGateway(installation.configFile)
      close = () => started.kill('SIGTERM')
      gateway = started
      return started
    },
  })
}

/** Files, records and commands of the installation. */
function reading(site: Site<unknown>) {
  const inFolder = (...names: string[]) => join(site.installation.folder, ...names)
  const configure = (more: string) => appendFileSync(site.installation.configFile, more)
  return {
    inFolder,
    /** Adds to the configuration. */
    configure,
    /** Has originals kept for a custodian, whose private key is `custodian.json`. */
    addCustodian: async () => {
      const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { extractable: true })
      writeFileSync(inFolder('custodian.json'), JSON.stringify(await exportJWK(privateKey)))
      writeFileSync(inFolder('keys/custodian.json'), JSON.stringify(await exportJWK(publicKey)))
      configure('custody: { custodian: keys/custodian.json }\n')
    },
    /** Waits until the record of an Evidence-Id is in the log. */
    recordOf: (rid: unknown) => findRecord(site.installation.config(), rid),
    /** Runs a command with the installation's configuration. */
    run: (...words: string[]) => runCommand([...words, '--config', site.installation.configFile]),
    /** Verifies a file with the installation's trust. */
    verify: (file: string, ...more: string[]) =>
      runCommand(['verify', file, '--trust', inFolder('data/trust.json'), ...more]),
  }
}

/** The platform as a caller of the gateway, with a fresh JWT for each request. */
function calling(site: Site<unknown>) {
  const authorization = async () => `Bearer ${await site.installation.platform.jwt('harbour-bank')}`

  /** Starts a long request. */
  async function sendLong(headers: Headers = {}, path = 'rows', method?: string): Promise<Sending> {
    const url = `${site.gateway.relayUrl}/harbour-bank/${path}`
    return startSending(url, { authorization: await authorization(), ...headers }, method)
  }
  /** Sends JSON, unless the headers say otherwise. */
  async function post(path: string, body: string | Buffer, headers: Headers = {}): Promise<Answer> {
    const fixed = { authorization: await authorization(), 'content-type': 'application/json' }
    return call(site.gateway.relayUrl + path, { body, headers: { ...fixed, ...headers } })
  }
  /** Sends the loan application. @returns its Evidence-Id. */
  async function apply(): Promise<string> {
    const { status, headers } = await post(APPLICATIONS, APPLICATION)
    expect(status).to.equal(200)
    return String(headers['evidence-id'])
  }
  /** Sends one request of a resumable upload. */
  const sendPart: Send = (part) => uploader(site.gateway.relayUrl, site.installation.platform)(part)
  return { authorization, sendLong, post, apply, sendPart }
}
