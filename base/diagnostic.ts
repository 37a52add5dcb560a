/** What we tell the author of a file: where, what is wrong, and what to type instead. Pure. @module */

/** A place in a file; line and column count from 1, in code points. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A position and how many code points to underline there; 1 when `length` is absent. */
export interface Spot extends Position {
  readonly length?: number
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly at: Spot
  /** Lower case, one line, no full stop, backticks round names. */
  readonly message: string
  /** What to type instead; empty when there is nothing to say. */
  readonly help: string
  /** Stable lint number such as `P104`. */
  readonly code?: string
  /** The line that `at` names; empty when its text is not at hand. */
  readonly sourceLine: string
}

/** Collects everything wrong with the files of one run, so that all of it is told at once. */
export interface Report {
  /** Makes a file's lines available to the carets. */
  addSource(file: string, text: string): void
  error(at: Spot, message: string, help: string, code?: string): void
  warning(at: Spot, message: string, help: string, code?: string): void
  readonly diagnostics: readonly Diagnostic[]
  /** How many of the diagnostics are errors. */
  readonly errorCount: number
}

/** Starts an empty report. */
export function createReport(): Report {
  const sources = new Map<string, string>()
  const diagnostics: Diagnostic[] = []
  let errorCount = 0
  function add(
    severity: 'error' | 'warning',
    [at, message, help, code]: Parameters<Report['error']>,
  ) {
    if (severity === 'error') errorCount++
    const sourceLine = sources.get(at.file)?.split('\n')[at.line - 1]?.replace(/\r$/, '') ?? ''
    diagnostics.push({
      severity,
      at,
      message,
      help,
      sourceLine,
      ...(code === undefined ? {} : { code }),
    })
  }
  return {
    addSource: (file, text) => void sources.set(file, text),
    error: (...finding) => add('error', finding),
    warning: (...finding) => add('warning', finding),
    diagnostics,
    get errorCount() {
      return errorCount
    },
  }
}

/** Renders all of a report, file by file, top to bottom; the empty text when there is nothing. */
export function renderReport({ diagnostics }: Report): string {
  const files = [...new Set(diagnostics.map(({ at }) => at.file))]
  return files
    .flatMap((file) => diagnostics.filter(({ at }) => at.file === file).toSorted(byPlace))
    .map((diagnostic) => `${renderDiagnostic(diagnostic)}\n`)
    .join('\n')
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.at.line - b.at.line || a.at.column - b.at.column
}

/** Renders `file:line:column: message`, the source line, a caret under the place, and the help. */
export function renderDiagnostic({
  severity,
  at,
  message,
  help,
  code,
  sourceLine,
}: Diagnostic): string {
  const label =
    (severity === 'warning' ? 'warning: ' : '') + (code === undefined ? '' : `${code}: `)
  const lines = [`${at.file}:${at.line}:${at.column}: ${label}${message}`]
  if (sourceLine !== '') {
    const characters = [...hideCredentials(sourceLine)]
    const under = characters.slice(at.column - 1, at.column - 1 + (at.length ?? 1))
    const carets = under.map((character) => (isWide(character) ? '^^' : '^')).join('')
    lines.push(
      `  ${characters.join('')}`,
      `  ${characters
        .slice(0, at.column - 1)
        .map(blank)
        .join('')}${carets === '' ? '^' : carets}`,
    )
  }
  if (help !== '') lines.push(`  help: ${help}`)
  return lines.join('\n')
}

/** The nearest of `known` to a mistyped `name`, or nothing when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  // A third of the letters may be wrong; beyond that a suggestion misleads.
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** ``did you mean `x`?``, or the list of what is known. */
export function suggest(name: string, known: Iterable<string>): string {
  const names = [...known]
  const nearest = nearestName(name, names)
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`
  return `known here: ${names.map((known) => `\`${known}\``).join(', ')}`
}

// Passwords stand in connection strings; the operator's screen and log collector must not get them.
function hideCredentials(line: string): string {
  return line.replace(/(?<=:\/\/)[^\s/@]+(?=@)/g, (credentials) =>
    '*'.repeat([...credentials].length),
  )
}

// Terminals draw East Asian characters two columns wide; the ideographic space is as wide.
function blank(character: string): string {
  if (character === '\t') return '\t'
  return isWide(character) ? '\u3000' : ' '
}

function isWide(character: string): boolean {
  return /[\p{Script=Han}\u3000-\u303f\uff01-\uff60]/u.test(character)
}

/** Optimal string alignment: insertions, deletions, substitutions, neighbours swapped. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY
  let previous: number[] = []
  let current = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const next = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let distance = Math.min(
        (current[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (current[column - 1] ?? 0) + cost,
      )
      if (row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (previous[column - 2] ?? 0) + 1)
      }
      next.push(distance)
    }
    previous = current
    current = next
  }
  return current[b.length] ?? 0
}
