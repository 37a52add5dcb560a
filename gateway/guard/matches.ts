/** All matches of a pattern. @module */

/**
 * Visits each match in order. `matchAll` would make a copy of the pattern for each text, which costs
 * more than matching most of them.
 *
 * @param pattern global, never matching the empty text, and used by one caller at a time.
 */
export function eachMatch(
  text: string,
  pattern: RegExp,
  visit: (match: RegExpExecArray) => void,
): void {
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) visit(match)
}
