/** Flag files beside a file: `.md5` holds its digest, `.ok` says that it is whole. @module */
import { basename } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { exists, readSmall, writeWhole } from './folder.ts'
import { COMPANION_BYTES_MAX } from './limits.ts'

/** Which companions come with each file, and go with it. */
export type Companion = 'md5' | 'ok'

/** Endings that are companions, or ours. */
const NOT_DATA = /(?:^\.|\.(?:md5|ok|part)$)/i

/** Whether a name in a folder is that of a data file. */
export function isDataFile(name: string): boolean {
  return !NOT_DATA.test(name)
}

/** Whether every companion of a file has come. */
export async function areThere(path: string, companions: readonly Companion[]): Promise<boolean> {
  for (const kind of companions) if (!(await exists(`${path}.${kind}`))) return false
  return true
}

/**
 * Compares what came with what the companion says. MD5 finds broken transfers; against forgery the
 * record's own digests are what counts.
 *
 * @param md5 of the file, in lower-case hex.
 * @throws {Problem} `file-refused`
 */
export async function checkCompanions(
  path: string,
  companions: readonly Companion[],
  md5: string,
): Promise<void> {
  if (!companions.includes('md5')) return
  const text = await readSmall(`${path}.md5`, COMPANION_BYTES_MAX)
  if (text === undefined) throw new Problem('file-refused', 'its `.md5` is missing')
  const [, digest, name] = /^\s*([0-9a-f]{32})(?:[ \t]+\*?(.*?))?\s*$/i.exec(text) ?? []
  if (digest === undefined) throw new Problem('file-refused', 'its `.md5` holds no digest')
  if (name !== undefined && name !== '' && basename(name) !== basename(path)) {
    throw new Problem('file-refused', 'its `.md5` is that of another file')
  }
  if (digest.toLowerCase() !== md5) {
    throw new Problem('file-refused', 'its bytes are not those of its `.md5`')
  }
}

/** Writes the companions of a file that stands there already: `.ok` last. */
export async function writeCompanions(
  path: string,
  companions: readonly Companion[],
  md5: string,
): Promise<void> {
  if (companions.includes('md5')) await writeWhole(`${path}.md5`, `${md5}  ${basename(path)}\n`)
  if (companions.includes('ok')) await writeWhole(`${path}.ok`, '')
}
