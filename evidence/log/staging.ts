/** The staging bundle: all files of one batch in one object, durable before the lock moves. Pure. @module */
import { Problem } from '../../base/problem.ts'
import type { TreeHead } from './checkpoint.ts'

/** One object that a batch writes. */
export interface StagedFile {
  readonly key: string
  readonly bytes: Buffer
}

/** Two sequencers that stage the same size with different roots do not overwrite each other. */
export function stagingKey({ size, root }: TreeHead): string {
  return `staging/${size}-${root.toString('hex')}`
}

/** Joins files into one object: a line of JSON with keys and lengths, then the bytes. */
export function packFiles(files: readonly StagedFile[]): Buffer {
  const list = files.map(({ key, bytes }) => [key, bytes.length])
  return Buffer.concat([Buffer.from(`${JSON.stringify(list)}\n`), ...files.map((f) => f.bytes)])
}

/** Splits a staging bundle. @throws {Problem} `log-inconsistent` when it is not whole. */
export function unpackFiles(bundle: Buffer): StagedFile[] {
  let at = bundle.indexOf('\n') + 1
  const files = parseList(bundle.toString('utf8', 0, at)).map(([key, length]) => {
    const bytes = bundle.subarray(at, at + length)
    at += length
    return { key, bytes }
  })
  if (at !== bundle.length) throw new Problem('log-inconsistent', 'a staging bundle is not whole')
  return files
}

function parseList(line: string): [string, number][] {
  try {
    return JSON.parse(line) as [string, number][]
  } catch (cause) {
    throw new Problem('log-inconsistent', 'a staging bundle has no list of files', { cause })
  }
}
