/** One step of a concrete path, as claims are named by. @module */

/** A member's step: its short form, or RFC 9535 §2.7's normalized one. */
export function writeStep(name: string): string {
  if (isIdentifier(name)) return `.${name}`
  const escaped = JSON.stringify(name).slice(1, -1)
  return `['${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}']`
}

/** `[A-Za-z_][A-Za-z0-9_]*`, in a loop: it is asked for each value that does not pass. */
function isIdentifier(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    const letter = code | 0x20
    const isLetter = (letter >= 0x61 && letter <= 0x7a && code < 0x80) || code === 0x5f
    if (!isLetter && (at === 0 || code < 0x30 || code > 0x39)) return false
  }
  return name !== ''
}
