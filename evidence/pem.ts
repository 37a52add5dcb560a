/** PEM (RFC 7468) in its strict form: what we write, and all that we read. @module */
import { Problem } from '../base/problem.ts'

/** Wraps DER in one block of 64-character lines. */
export function toPem(label: string, der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/**
 * Reads every block with this label, in file order; text outside of blocks is ignored (RFC 7468 §2).
 *
 * @throws {Problem} `key-unusable` when a block is not closed, or its base64 is not canonical.
 */
export function readPem(text: string, label = 'CERTIFICATE'): Uint8Array[] {
  const begin = `-----BEGIN ${label}-----`
  const end = `-----END ${label}-----`
  return text
    .split(begin)
    .slice(1)
    .map((rest, index) => {
      const stop = rest.indexOf(end)
      const base64 = rest.slice(0, Math.max(stop, 0)).replace(/[\r\n]/g, '')
      const der = stop < 0 ? undefined : decode(base64)
      if (der === undefined) {
        throw new Problem('key-unusable', `\`${label}\` block ${index + 1} is not canonical PEM`)
      }
      return der
    })
}

function decode(base64: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    const binary = atob(base64)
    return btoa(binary) === base64 ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : undefined
  } catch {
    return undefined // atob throws on a length that is no multiple of four.
  }
}
