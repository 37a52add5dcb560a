/** Detectors of e-mail, IP and MAC addresses and of positions on the map. @module */
import { isIPv4, isIPv6 } from 'node:net'
import { eachMatch } from './matches.ts'
import { addHit, type Scan } from './scan.ts'

/** Finds e-mail addresses: outward from each `@`, so that the cost stays linear. */
export function findEmails(scan: Scan): void {
  const { text } = scan
  let free = 0 // Where the last hit ended; a local part does not reach back over it.
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, free, at)
    const end = domainEnd(text, at + 1)
    if (start === at || end === at + 1) continue
    free = end
    addHit(scan, 'email', start, end, 0.8, 'local part, @ and domain')
  }
}

const LOCAL_LENGTH_MAX = 64 // RFC 5321 §4.5.3.1.1
const DOMAIN_LENGTH_MAX = 253

function localStart(text: string, free: number, at: number): number {
  const min = Math.max(free, at - LOCAL_LENGTH_MAX)
  let start = at
  while (start > min && /[A-Za-z0-9._%+-]/.test(text.charAt(start - 1))) start--
  // RFC 6531 allows Han; only when nothing else is there, or the sentence before would count.
  if (start === at) while (start > min && HAN.test(text.charAt(start - 1))) start--
  return start
}

function domainEnd(text: string, from: number): number {
  const max = Math.min(text.length, from + DOMAIN_LENGTH_MAX)
  let end = from
  while (end < max && /[A-Za-z0-9.-]/.test(text.charAt(end))) end++
  while (end > from && /[.-]/.test(text.charAt(end - 1))) end--
  const labels = text.slice(from, end).split('.')
  const top = labels.pop() ?? ''
  const sound = labels.every((label) => label.length <= 63 && /^[A-Za-z0-9]/.test(label))
  if (labels.length > 0 && sound && /^(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})$/.test(top))
    return end
  const han = /^[\p{Script=Han}A-Za-z0-9-]{1,24}\.(?:中国|中國|公司|网络|网址|[a-z]{2,6})/u.exec(
    text.slice(from, from + 36),
  )
  return from + (han?.[0].length ?? 0)
}

const HAN = /\p{Script=Han}/u

/** Finds IPv4, IPv6 and MAC addresses. Each shape starts at a boundary and is bounded in length. */
export function findAddresses(scan: Scan): void {
  const { dots, colons, dashes } = scan
  if (dots >= 3) findIPv4(scan)
  if (colons >= 5 || dashes >= 5) findMac(scan)
  if (colons >= 2) findIPv6(scan)
}

function findIPv4(scan: Scan): void {
  eachMatch(scan.text, IPV4, ({ 0: found, index }) => {
    // Loopback, unspecified and broadcast name no machine of a person.
    if (!isIPv4(found) || /^(?:0|127|255)\./.test(found)) return
    addHit(scan, 'ip-address', index, index + found.length, 0.55, 'IPv4 address')
  })
}

function findMac(scan: Scan): void {
  eachMatch(scan.text, MAC, ({ 0: found, index }) => {
    if (/^(?:00[:-]){5}00$|^(?:ff[:-]){5}ff$/i.test(found)) return
    addHit(scan, 'mac-address', index, index + found.length, 0.8, 'MAC address')
  })
}

function findIPv6(scan: Scan): void {
  eachMatch(scan.text, IPV6, ({ 0: found, index }) => {
    if (!isIPv6(found) || /^[:0]*1?$/.test(found)) return
    addHit(scan, 'ip-address', index, index + found.length, 0.7, 'IPv6 address')
  })
}

// `Chrome/131.0.0.0` is a version.
const IPV4 = /(?<![\d.A-Za-z]|[A-Za-z]\/)\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g
const MAC =
  /(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Za-z:-])/g
const IPV6 =
  /(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{4,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Za-z:])/g

/** Finds a pair of coordinates inside or near China, or one in a field that says so. */
export function findLocations(scan: Scan): void {
  eachMatch(scan.text, PAIR, ({ 0: found, 1: first = '', 2: second = '', index }) => {
    const [a, b] = [Number(first), Number(second)]
    if (!(isLatitude(a) && isLongitude(b)) && !(isLongitude(a) && isLatitude(b))) return
    addHit(scan, 'location', index, index + found.length, 0.6, 'latitude and longitude')
  })
  const alone = scan.field.kinds.has('location') ? SINGLE.exec(scan.text) : null
  if (alone === null) return
  const value = Number(alone[0])
  if (!isLatitude(value) && !isLongitude(value)) return
  addHit(scan, 'location', 0, scan.text.length, 0.5, 'coordinate with three or more decimals')
}

// Two decimals are about a kilometre: generalised, so they may pass.
const PAIR =
  /(?<![\d.])(\d{1,3}\.\d{3,16})[°NE]?[ ,;，；|/]{1,3}[NE]?(\d{1,3}\.\d{3,16})(?![\d.]*\d)/g
const SINGLE = /^-?\d{1,3}\.\d{3,16}$/

function isLatitude(degrees: number): boolean {
  return degrees >= 3.8 && degrees <= 53.6
}

function isLongitude(degrees: number): boolean {
  return degrees >= 73.5 && degrees <= 135.1
}
