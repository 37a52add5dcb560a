/** Detector of postal addresses: a district's or road's name, and a number or room below it. @module */
import { eachMatch } from './matches.ts'
import { addHit, type Scan } from './scan.ts'

/** Part of an address that pins it to a house: `大街27号`, `3栋`, `501室`, `二组`. */
const HOUSE = new RegExp(
  [
    '[路街巷道弄里村组屯苑园庭胡同厦寓]\\d{1,5}[号弄]?(?![\\d年月日万元])',
    '\\d{1,5}(?:号楼|号院|[栋幢座室弄]|单元|[楼层](?!以))',
    '[一二三四五六七八九十东西南北]{1,3}(?:单元|号楼|栋|组)',
  ].join('|'),
  'gu',
)
const ADMINISTRATIVE = /[省市区县州盟旗镇乡]|街道|新区|开发区/u
const ROAD = /[路街巷弄村]|大道|胡同|小区|花园|公寓|大厦|社区|家园/u
const REACH_MAX = 40
const ADDRESS_LENGTH_MIN = 5
const INSIDE = /[\p{Script=Han}〇A-Za-z0-9#()-]/u
/** What stands before an address, and where its house number can no longer be one. */
const INTRODUCTION =
  /^.*(?:地址|住址|居住|家住|住在|住所|位于|户籍|寄到|寄至|送至|收货|现住|在)[是为]?/u
const NOT_ADDRESS = /[初终执审破字]第?\d*$|法院|民[初终]|刑[初终]|[条款项]$/u

/** Finds addresses. Linear: each house looks back at most `REACH_MAX` characters. */
export function findPostal(scan: Scan): void {
  const { text } = scan
  if (text.length < ADDRESS_LENGTH_MIN) return
  let free = 0
  eachMatch(text, HOUSE, (house) => {
    if (house.index < free) return
    let start = house.index
    const min = Math.max(free, start - REACH_MAX)
    while (start > min && INSIDE.test(text.charAt(start - 1))) start--
    const before = text.slice(start, house.index)
    start += INTRODUCTION.exec(before)?.[0].length ?? 0
    const head = text.slice(start, house.index + 1)
    let end = house.index + house[0].length
    const max = Math.min(text.length, end + REACH_MAX)
    while (end < max && INSIDE.test(text.charAt(end))) end++
    end = houseEnd(text, house.index + house[0].length, end)
    const levels = (ADMINISTRATIVE.test(head) ? 1 : 0) + (ROAD.test(head) ? 1 : 0) + 1
    if (levels < 2 || NOT_ADDRESS.test(head) || head.length < 4) return
    free = end
    const base = levels === 3 ? 0.7 : 0.5
    addHit(scan, 'address', start, end, base, `${levels} levels of an address`)
  })
  if (!scan.field.kinds.has('address') || free > 0) return
  const value = text.trim()
  // The field says so; down to the district it is not yet an address.
  if (/\p{Script=Han}{2}/u.test(value) && ROAD.test(value) && !value.includes('*')) {
    addHit(scan, 'address', 0, text.length, 0.4, 'road or settlement')
  }
}

const HOUSE_PART = /\d{1,5}(?:号楼|号院|[号栋幢座室弄楼层]|单元)|\d{1,5}-\d{1,5}(?:-\d{1,5})?/gu

/** The end of the last house part between `from` and `to`. */
function houseEnd(text: string, from: number, to: number): number {
  let end = from
  eachMatch(text.slice(from, to), HOUSE_PART, (part) => {
    end = from + part.index + part[0].length
  })
  return end
}
