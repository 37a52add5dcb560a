/** One step of a concrete path, as claims are named by. @module */

/** A member's step: its short form, or RFC 9535 §2.7's normalized one. */
export function writeStep(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `.${name}`
  const escaped = JSON.stringify(name).slice(1, -1)
  return `['${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}']`
}
