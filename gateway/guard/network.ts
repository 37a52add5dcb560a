/** Detectors of e-mail, IP and MAC addresses and of positions on the map. @module */
import type { Scan } from './scan.ts'

/** Finds e-mail addresses: outward from each `@`, so that the cost stays linear. */
export function findEmails(scan: Scan): void {
  const { text } = scan
  let free = 0 // Where the last hit ended; a local part does not reach back over it.
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, free, at)
    const end = domainEnd(text, at + 1)
    if (start === at || end === at + 1) continue
    free = end
    scan.add('email', start, end, 0.8, 'local part, @ and domain')
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
