/** Looks for planted values in everything that an installation leaves behind. @module */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The spellings in which a value could hide: plain, URL-encoded, base64 at each offset, `\u`, hex. */
export function spellings(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  const escaped = [...value]
    .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
  const percent = [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('')
  // At each of the three alignments a run of base64 characters depends on the value alone.
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const start = offset === 0 ? 0 : offset + 1
    const end = Math.floor(((offset + bytes.length) * 8) / 6)
    return text.slice(start, end)
  })
  const all = [value, encodeURIComponent(value), percent, escaped, bytes.toString('hex'), ...base64]
  return [...new Set(all.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]))]
}

/** Where `values` stand in `text`, in any spelling; case does not matter for escapes. */
export function leaksIn(text: string, values: readonly string[]): string[] {
  const lower = text.toLowerCase()
  return values.filter((value) =>
    spellings(value).some((spelling) =>
      spelling.startsWith('\\u') || spelling.startsWith('%')
        ? lower.includes(spelling.toLowerCase())
        : text.includes(spelling),
    ),
  )
}

/** What stands base64url-encoded in a text, as the parts of a JWS do. */
export function decodeRuns(text: string): string {
  return text.replaceAll(/[\w-]{40,}/g, (run) => Buffer.from(run, 'base64url').toString('utf8'))
}

/** Every file below a folder, as latin1 and as UTF-8 text. */
export function filesBelow(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const bytes = readFileSync(path)
      return { path, text: bytes.toString('utf8') + bytes.toString('latin1') }
    })
}
