/** A whole installation in an empty folder: configuration, keys, policies, two parties. @module */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { loadConfig } from '../../gateway/config-parse.ts'
import type { Config } from '../../gateway/config.ts'
import { createLogger } from '../../gateway/log.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../gateway/serve.ts'
import { type TestParty, createTestParty } from './party.ts'

/** A folder with everything that `sealgate serve` needs. */
export interface Installation {
  readonly folder: string
  readonly configFile: string
  readonly platform: TestParty
  readonly bank: TestParty
  addPolicy(name: string, text: string): void
  config(): Config
  start(options?: Partial<Omit<GatewayOptions, 'report'>>): Promise<Gateway>
  remove(): void
}

/** @param bankUrl where the bank is called; @param platformUrl where the platform is. */
export async function createInstallation(
  bankUrl: string,
  platformUrl = 'http://127.0.0.1:9',
  nowS = () => Math.floor(Date.now() / 1000),
): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-e2e-'))
  const configFile = join(folder, 'sealgate.yaml')
  mkdirSync(join(folder, 'keys'))
  cpSync(join(import.meta.dirname, '../../policies'), join(folder, 'policies'), { recursive: true })
  const platform = await createTestParty('sunrise-platform', 'ES256', nowS)
  const bank = await createTestParty('harbour-bank', 'Ed25519')
  platform.writeKeys(join(folder, 'keys'))
  bank.writeKeys(join(folder, 'keys'))
  writeFileSync(
    configFile,
    `relay: { listen: 127.0.0.1:0 }
admin: { listen: 127.0.0.1:0 }
data: ./data
policies: ./policies
operator: { name: Test Bureau, role: bureau }
parties:
  - { id: sunrise-platform, role: platform, url: ${platformUrl}, auth: [ { jwt: { jwks: keys/sunrise-platform.jwks.json } } ] }
  - { id: harbour-bank, role: bank, url: ${bankUrl}, auth: [ { jwt: { jwks: keys/harbour-bank.jwks.json } } ] }
`,
  )
  const config = () => {
    const report = createReport()
    const parsed = loadConfig(configFile, {}, report)
    if (parsed === undefined || report.errorCount > 0)
      throw new Error(renderReport(report, ['error']))
    return parsed
  }
  return {
    folder,
    configFile,
    platform,
    bank,
    config,
    addPolicy: (name, text) => writeFileSync(join(folder, 'policies', name), text),
    start: async (options = {}) => {
      const report = createReport()
      const log = createLogger('silent')
      const gateway = await startGateway(config(), { log, ...options, report })
      if (gateway === undefined) throw new Error(renderReport(report, ['error']))
      return gateway
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
