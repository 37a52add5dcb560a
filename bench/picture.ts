/** Bars as SVG, without a library: a page of text that any browser shows. @module */

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
