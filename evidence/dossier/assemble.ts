/** Puts a dossier together: its parts, and the files that follow from them. Portable. @module */
import { makeCatalogue, type Statement } from './catalogue.ts'
import { makeGuide } from './guide.ts'
import { hexDigest, type Parts, readParts, writeParts } from './parts.ts'
import type { Files } from './zip.ts'

/** All files of the dossier that holds these parts, in whatever order the parts come. */
export function assemble(unordered: Parts, statement: Statement): Files {
  const files = writeParts(unordered)
  const { parts } = readParts(ascending(files))
  const text = new TextEncoder()
  files.set('catalogue.json', text.encode(makeCatalogue(parts, statement)))
  files.set('VERIFY.md', text.encode(makeGuide(parts)))
  const sorted = ascending(files)
  const sums = [...sorted].map(([name, bytes]) => `${hexDigest(bytes)}  ${name}\n`).join('')
  return sorted.set('SHA256SUMS', text.encode(sums))
}

function ascending(files: Files): Map<string, Uint8Array> {
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
