/** Shows what one relay changed, field by field. @module */
import { styleText } from 'node:util'

const COLUMN = 34

/** Prints the fields of a body before and after the gateway, aligned, the changed ones in colour. */
export function compareBodies(before: string, after: string): string {
  const left = leaves(before)
  const right = leaves(after)
  const rows = [...left].map(([path, value]) => {
    const relayed = right.get(path)
    const [mark, colour] = verdict(value, relayed)
    return `  ${pad(path, COLUMN)} ${pad(value, COLUMN)} ${styleText(colour, `${mark.padEnd(8)} ${relayed ?? ''}`)}`
  })
  const head = `  ${pad('field', COLUMN)} ${pad('sent', COLUMN)} what became of it, and what arrived`
  return [styleText('bold', head), ...rows].join('\n')
}

function verdict(sent: string, relayed: string | undefined) {
  if (relayed === undefined) return ['dropped', 'red'] as const
  return relayed === sent ? (['kept', 'green'] as const) : (['changed', 'yellow'] as const)
}

/** Every scalar of a body by its path; numbers keep the spelling of the source. */
function leaves(body: string): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (path: string, value: unknown): void => {
    if (value !== null && typeof value === 'object' && !(value instanceof Spelling)) {
      for (const [key, child] of Object.entries(value)) {
        visit(Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, child)
      }
    } else found.set(path, value instanceof Spelling ? value.source : JSON.stringify(value))
  }
  visit('$', JSON.parse(body, keepSpelling))
  return found
}

class Spelling {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

function keepSpelling(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { source?: string },
): unknown {
  return typeof value === 'number' ? new Spelling(context?.source ?? String(value)) : value
}

/** Pads by display width: Han characters take two columns. */
function pad(text: string, width: number): string {
  const shown = [...text].reduce((sum, character) => sum + (character > '\u2e7f' ? 2 : 1), 0)
  return shown > width
    ? `${[...text].slice(0, width - 1).join('')}…`
    : text + ' '.repeat(width - shown)
}
