/** Reads the wycheproof files. */
import { readFileSync } from 'node:fs'

/** A file of `Test`s in groups with the members of `Group`. */
export function readWycheproof<Group, Test>(
  file: string,
): { testGroups: (Group & { tests: (Test & Case)[] })[]; numberOfTests: number } {
  return JSON.parse(readFileSync(new URL(`../vectors/wycheproof/${file}`, import.meta.url), 'utf8'))
}

interface Case {
  tcId: number
  comment: string
  result: 'valid' | 'invalid' | 'acceptable'
}

/** Decodes hexadecimal text. */
export const hex = (text: string): Buffer => Buffer.from(text, 'hex')
