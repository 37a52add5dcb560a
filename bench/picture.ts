/** Bars as SVG, without a library: text that any browser shows. @module */

/** One bar, with its spread. */
export interface Bar {
  readonly label: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly strong?: boolean
}

/** Bars under titles; each group has its own scale. */
export interface Picture {
  readonly title: string
  readonly groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[]
}

/** One bar made of parts. */
export interface Stack {
  readonly title: string
  readonly parts: readonly { readonly label: string; readonly value: number }[]
}

const WIDTH = 900
const LABEL = 345
const ROW = 22
const COLOURS = ['#1b6ca8', '#4e9a06', '#c17d11', '#75507b', '#cc3333', '#2e8b8b', '#888a85', '#b8860b', '#5c3566', '#8f5902', '#204a87', '#3a7d44'] // prettier-ignore

/** Horizontal bars with whiskers from least to greatest. */
export function barsSvg({ title, groups }: Picture): string {
  const rows: string[] = [text(0, 18, title, 'font-weight="bold"')]
  let y = 44
  for (const group of groups) {
    rows.push(text(0, y, group.title, 'font-weight="bold"'))
    y += 10
    const most = Math.max(...group.bars.map(({ max }) => max))
    const at = (value: number) => LABEL + (value / most) * (WIDTH - LABEL - 60)
    for (const { label, median, min, max, strong = false } of group.bars) {
      const middle = y + ROW / 2
      rows.push(
        text(0, middle + 5, label, strong ? 'font-weight="bold"' : ''),
        `<rect x="${LABEL}" y="${y + 3}" width="${(at(median) - LABEL).toFixed(1)}" height="${ROW - 6}" fill="${strong ? '#1b6ca8' : '#9db4c0'}"/>`,
        `<path d="M${at(min).toFixed(1)} ${middle}H${at(max).toFixed(1)}" stroke="#222"/>`,
        text(at(max) + 6, middle + 5, median.toFixed(0)),
      )
      y += ROW
    }
    y += 24
  }
  return svg(y, rows)
}

/** One bar from left to right with a legend below. */
export function stackSvg({ title, parts }: Stack): string {
  const total = parts.reduce((sum, { value }) => sum + value, 0)
  const rows: string[] = [text(0, 18, `${title}: ${total.toFixed(0)} µs`, 'font-weight="bold"')]
  let x = 0
  parts.forEach(({ value }, index) => {
    const width = (value / total) * WIDTH
    rows.push(`<rect x="${x.toFixed(1)}" y="32" width="${width.toFixed(1)}" height="40" fill="${colourOf(index)}"/>`) // prettier-ignore
    x += width
  })
  let y = 96
  parts.forEach(({ label, value }, index) => {
    const share = `${value.toFixed(0)} µs, ${((100 * value) / total).toFixed(0)} %`
    rows.push(
      `<rect x="0" y="${y - 11}" width="12" height="12" fill="${colourOf(index)}"/>`,
      text(20, y, `${label}: ${share}`),
    )
    y += 20
  })
  return svg(y, rows)
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#888888'
}

function text(x: number, y: number, words: string, more = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped}</text>`
}

function svg(height: number, rows: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -4 ${WIDTH + 20} ${height + 8}" font-family="sans-serif" font-size="14">
<rect x="-10" y="-4" width="${WIDTH + 20}" height="${height + 8}" fill="#ffffff"/>
${rows.join('\n')}
</svg>
`
}
