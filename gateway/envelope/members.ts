/** The outer JSON document of an envelope: exactly the agreed members, each a text. @module */
import { readJson } from '../../base/json-node.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { EnvelopeConfig } from './config.ts'
import { MEMBERS_MAX } from './limits.ts'

/** Member name → text, in the order of the document. */
export type Members = ReadonlyMap<string, string>

/**
 * Reads the members. What is wrong here can be seen by anybody who holds the message, so it is told.
 *
 * @throws {Error} whose message names members of the configuration and never quotes the document.
 */
export function readMembers(envelope: EnvelopeConfig, body: Buffer): Members {
  // Attacker-controlled: all of it.
  parseStrictJson(body)
  const root = readJson(body.toString())
  if (root.node !== 'map') throw new Error('expected an object')
  if (root.entries.size > MEMBERS_MAX) throw new Error(`expected at most ${MEMBERS_MAX} members`)
  const { json } = envelope
  const ignored = new Set(json?.ignored)
  const needed = memberNames(envelope)
  const members = new Map<string, string>()
  for (const [name, { value }] of root.entries) {
    if (!needed.has(name) && !ignored.has(name)) throw new Error('a member was not agreed on')
    // One reading each: a number keeps its spelling, and nothing is nested.
    if (value.node !== 'scalar' || value.value === null) {
      if (ignored.has(name)) continue
      throw new Error(`expected \`${name}\` to be text`)
    }
    members.set(name, value.text)
  }
  for (const name of needed) if (!members.has(name)) throw new Error(`\`${name}\` is missing`)
  for (const [name, want] of json?.constants ?? []) {
    if (members.get(name) !== want) throw new Error(`\`${name}\` has another value`)
  }
  return members
}

/** Every member that must be there. */
function memberNames({ json, cipher, sign }: EnvelopeConfig): ReadonlySet<string> {
  const names = [...(json?.constants.keys() ?? [])]
  if (json !== undefined) names.push(json.data)
  if (json?.fresh !== undefined) names.push(json.fresh.timestamp, json.fresh.nonce)
  if (cipher?.iv.place === 'member') names.push(cipher.iv.member)
  if (cipher?.key.from === 'wrap') names.push(cipher.key.wrap.member)
  if (sign !== undefined) names.push(sign.member)
  return new Set(names)
}

/**
 * What a signature is over: one member, or `name=value` of all others that are not empty, sorted by
 * name in code units and joined by `&`.
 */
export function signedText({ json, sign }: EnvelopeConfig, members: Members): string {
  if (sign?.over !== 'sorted') return members.get(json?.data ?? '') ?? ''
  return [...members]
    .filter(([name, value]) => name !== sign.member && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}
