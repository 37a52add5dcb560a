/** A token of Debian's SoftHSM2 in a folder of its own. @module */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from './tool.ts'

/** Debian's module, and what must run for these tests. */
export const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
export const SOFTHSM_PROBE = ['sh', '-c', `pkcs11-tool --module ${SOFTHSM} --show-info`] as const

/** What tests make in a token. */
export interface Token {
  readonly pin: string
  /** Makes a token with this label. */
  init(label: string): void
  /** Makes an EC key pair in a token. */
  key(token: string, label: string, ...more: readonly string[]): void
}

/**
 * Points the module at an empty folder, for this process and those that it starts.
 *
 * @returns the file with the user PIN of every token.
 */
export function createTokens(folder: string): Token {
  const [tokens, config, pin] = ['tokens', 'softhsm2.conf', 'pin'].map((name) => join(folder, name))
  mkdirSync(tokens ?? '')
  writeFileSync(config ?? '', `directories.tokendir = ${tokens}\nlog.level = ERROR\n`)
  writeFileSync(pin ?? '', '271828\n', { mode: 0o600 })
  process.env['SOFTHSM2_CONF'] = config
  const run = (command: string, ...args: readonly string[]): void => {
    const { ok, text } = runTool(command, args, folder)
    if (!ok) throw new Error(text)
  }
  return {
    pin: pin ?? '',
    init: (label) =>
      run('softhsm2-util', '--init-token', '--free', '--label', label, '--pin', '271828', '--so-pin', '314159'), // prettier-ignore
    key: (token, label, ...more) =>
      run('pkcs11-tool', '--module', SOFTHSM, '--token-label', token, '--login', '--pin', '271828', '--keypairgen', '--label', label, ...more), // prettier-ignore
  }
}
