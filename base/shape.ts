/**
 * Small typed readers over positioned YAML. A reader that complains still returns a value of its
 * type, so that reading goes on and all errors are found; whoever parses discards the result when
 * the report gained an error. Pure. @module
 */
import { suggest, type Report } from './diagnostic.ts'
import type { YamlEntry, YamlMap, YamlNode } from './yaml.ts'

/** Reads one node; after a complaint the returned value means nothing. */
export type Reader<T> = (node: YamlNode, report: Report) => T

/** A map's members, each taken once; `close` complains about those that nobody took. */
export interface Fields {
  readonly map: YamlMap
  /** Reads a member that must be there. */
  need<T>(name: string, read: Reader<T>): T
  /** Reads a member when it is there. */
  take<T>(name: string, read: Reader<T>): T | undefined
  /** Complains about every member that was not asked for, with the nearest known name. */
  close(): void
}

/** Opens a map. `what` names it in messages: `the policy`, `a party`. */
export function openMap(node: YamlNode, report: Report, what: string): Fields {
  const map: YamlMap = node.node === 'map' ? node : { node: 'map', at: node.at, entries: new Map() }
  if (node.node !== 'map') {
    report.error(
      node.at,
      `${what} must be a map, not ${describe(node)}`,
      'write `key: value` pairs',
    )
  }
  const known = new Set<string>()
  const take = <T>(name: string, read: Reader<T>): T | undefined => {
    known.add(name)
    const entry = map.entries.get(name)
    return entry === undefined ? undefined : read(entry.value, report)
  }
  return {
    map,
    take,
    need(name, read) {
      if (node.node === 'map' && !map.entries.has(name)) {
        report.error(map.at, `${what} has no \`${name}\``, `add \`${name}: …\``)
      }
      // An absent member is read as an empty one, into a report that nobody looks at.
      return take(name, read) ?? read({ ...EMPTY, at: map.at }, SILENT)
    },
    close() {
      for (const [name, { key }] of map.entries) {
        if (!known.has(name))
          report.error(key.at, `${what} has no key \`${name}\``, suggest(name, known))
      }
    },
  }
}

/** Reads a map whose keys are names of the author's choice. */
export function readEntries(
  node: YamlNode,
  report: Report,
  what: string,
): readonly (readonly [string, YamlEntry])[] {
  if (node.node === 'map') return [...node.entries]
  report.error(node.at, `${what} must be a map, not ${describe(node)}`, 'write `name: value` pairs')
  return []
}

/** Reads a list, each item with `read`. */
export function listOf<T>(read: Reader<T>, what: string): Reader<readonly T[]> {
  return (node, report) => {
    if (node.node === 'list') return node.items.map((item) => read(item, report))
    report.error(node.at, `${what} must be a list, not ${describe(node)}`, 'write `[ …, … ]`')
    return []
  }
}

/** Reads text that is not empty. `pattern` is checked against the whole text. */
export function textOf(what: string, pattern?: RegExp, help = ''): Reader<string> {
  return (node, report) => {
    if (node.node !== 'scalar' || typeof node.value !== 'string' || node.value === '') {
      const quote =
        node.node === 'scalar' && node.text !== '' ? `put it in quotes: "${node.text}"` : help
      report.error(node.at, `${what} must be text, not ${describe(node)}`, quote)
      return ''
    }
    if (pattern !== undefined && !pattern.test(node.value)) {
      report.error(node.at, `\`${node.value}\` is not ${what}`, help)
    }
    return node.value
  }
}

/** Reads one of a few words. */
export function oneOf<const T extends string>(
  what: string,
  words: readonly [T, ...T[]],
): Reader<T> {
  return (node, report) => {
    const word = words.find((known) => node.node === 'scalar' && node.value === known)
    if (word !== undefined) return word
    const wrong = node.node === 'scalar' ? node.text : ''
    const message = wrong === '' ? `${what} is missing` : `\`${wrong}\` is not ${what}`
    report.error(node.at, message, suggest(wrong, words))
    return words[0]
  }
}

/** Reads `true` or `false`. */
export function booleanOf(what: string): Reader<boolean> {
  return (node, report) => {
    if (node.node === 'scalar' && typeof node.value === 'boolean') return node.value
    const message = `${what} must be true or false, not ${describe(node)}`
    report.error(node.at, message, 'write `true` or `false`')
    return false
  }
}

/** Reads a whole number from `min` to `max`. */
export function integerOf(what: string, min: number, max: number): Reader<number> {
  return (node, report) => {
    const value = node.node === 'scalar' ? node.value : null
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max)
      return value
    report.error(
      node.at,
      `${what} must be a whole number, not ${describe(node)}`,
      `from ${min} to ${max}`,
    )
    return min
  }
}

/** Reads a length of time such as `500ms`, `3s`, `10m` or `1h`, in milliseconds. */
export function durationOf(what: string, minMs: number, maxMs: number): Reader<number> {
  return (node, report) => {
    const text = node.node === 'scalar' ? node.text : ''
    const [, count, unit = ''] = /^([1-9]\d{0,6})(ms|s|m|h)$/.exec(text) ?? []
    const value = Number(count) * (UNIT_MS[unit] ?? 0)
    if (count !== undefined && value >= minMs && value <= maxMs) return value
    const range = `from ${minMs / 1000} to ${maxMs / 1000} seconds`
    report.error(node.at, `${what} must be a length of time, ${range}`, 'write for example `3s`')
    return minMs
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Names a node for a message; never quotes long text. */
export function describe(node: YamlNode): string {
  if (node.node !== 'scalar') return `a ${node.node}`
  if (node.value === null) return 'empty'
  if (typeof node.value === 'string') return node.value === '' ? 'empty text' : 'text'
  return `the ${typeof node.value} \`${node.text}\``
}

const EMPTY = { node: 'scalar', value: null, text: '', isQuoted: false } as const
const SILENT: Report = {
  addSource: () => {},
  error: () => {},
  warning: () => {},
  diagnostics: [],
  errorCount: 0,
}
