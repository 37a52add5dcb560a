/** Provinces by GB/T 2260 code and by mobile number; where the data comes from: regions/README.md. @module */
import { readFileSync } from 'node:fs'
import { isMobile } from '../guard/validators.ts'

/** What is true of every mainland number whose range is not in the table. */
const MAINLAND = '中国大陆'

const rows = (file: string): string[] =>
  readFileSync(new URL(`regions/${file}`, import.meta.url), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)

/** GB/T 2260 province codes. */
const PROVINCES: ReadonlyMap<string, string> = new Map([
  ['71', '台湾省'],
  ['81', '香港特别行政区'],
  ['82', '澳门特别行政区'],
  ['83', '台湾省'],
  ...rows('provinces.csv').map((row): [string, string] => [
    row.slice(0, 2),
    row.slice(3).replaceAll('"', ''),
  ]),
])

/** The province of a resident id's region. */
export function provinceOfRegion(region: string): string | undefined {
  return PROVINCES.get(region.slice(0, 2))
}

/** Where ranges of numbers begin, by their first seven digits, and whose they are. */
interface Ranges {
  readonly starts: readonly number[]
  readonly codes: readonly string[]
}

let ranges: Ranges | undefined

/**
 * The province in which a mobile number was given out; numbers move between operators, and stay in
 * their province. Undefined for what is no mobile number of eleven digits.
 */
export function provinceOfMobile(mobile: string): string | undefined {
  if (!isMobile(mobile)) return undefined
  ranges ??= readRanges()
  const { starts, codes } = ranges
  const prefix = Number(mobile.slice(0, 7))
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= prefix) low = middle + 1
    else high = middle
  }
  return PROVINCES.get(codes[low - 1] ?? '') ?? MAINLAND
}

function readRanges(): Ranges {
  const table = rows('mobile.csv').map((row) => row.split(','))
  return {
    starts: table.map(([from]) => Number(from)),
    codes: table.map(([, province = '']) => province),
  }
}
