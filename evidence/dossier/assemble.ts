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
  return ascending(files).set('SHA256SUMS', text.encode(makeSums(files)))
}

/** SHA256SUMS, as `sha256sum` writes it, of all files but itself. */
export function makeSums(files: Files): string {
  const others = [...ascending(files)].filter(([name]) => name !== 'SHA256SUMS')
  return others.map(([name, bytes]) => `${hexDigest(bytes)}  ${name}\n`).join('')
}

function ascending(files: Files): Map<string, Uint8Array> {
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
