/** Shows a verification: the verdict, then each check. Text only: nothing of a file becomes markup. @module */
import type { DossierCheck } from '../../dossier/findings.ts'
import type { DossierVerification } from '../../dossier/verify.ts'
import { sha256 } from '../../crypto.ts'
import { CHECKS, type Language, WORDS } from './words.ts'

/** What is shown. */
export interface Shown extends Pick<DossierVerification, 'verdict' | 'development'> {
  readonly checks: readonly DossierCheck[]
  readonly name: string
  readonly bytes: Uint8Array
}

/** Shows one line. */
export function showText(target: HTMLElement, text: string): void {
  target.hidden = false
  delete target.dataset['verdict']
  target.replaceChildren(make('p', 'working', text))
}

/** Shows a result. */
export function showResult(target: HTMLElement, shown: Shown, language: Language): void {
  const { verdict, checks, development, name, bytes } = shown
  const say = (key: keyof typeof WORDS) => WORDS[key][language]
  const failed = checks.filter(({ ok }) => !ok).length
  const subjects = [
    ...new Set(checks.flatMap((check) => (isOfRecord(check) ? [check.subject] : []))),
  ]
  const banner = make('div', 'banner', '')
  const counts = [
    ...(subjects.length === 0 ? [] : [`${subjects.length} ${say('records')}`]),
    `${checks.length} ${say('checks')}`,
    ...(failed === 0 ? [] : [`${failed} ${say('failed')}`]),
  ]
  banner.append(
    make('span', 'mark', MARKS[verdict]),
    wrap('div', '', [
      make('h2', '', say(verdict)),
      make('p', '', say(`${verdict}More`)),
      make('p', 'counts', `${name} · ${counts.join(' · ')}`),
    ]),
  )
  const notes = development ? [make('p', 'note', say('development'))] : []
  const digest = make('p', 'digest', `${say('digest')}: ${sha256(bytes).toString('hex')}`)
  const whole = checks.filter((check) => !isOfRecord(check))
  target.hidden = false
  target.dataset['verdict'] = verdict
  target.replaceChildren(
    banner,
    ...notes,
    ...openedValues(checks, language),
    ...(whole.length === 0 ? [] : [make('h3', '', say('whole')), list(whole, language)]),
    ...subjects.map((subject) => group(subject, checks, subjects.length <= 3, language)),
    digest,
  )
}

const MARKS = { valid: '✓', 'not-anchored': '!', invalid: '✗', unusable: '✗' } as const
const RID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function isOfRecord(check: DossierCheck): check is DossierCheck & { readonly subject: string } {
  return check.subject !== undefined && RID.test(check.subject)
}

function group(
  subject: string,
  checks: readonly DossierCheck[],
  open: boolean,
  language: Language,
): HTMLElement {
  const own = checks.filter((check) => check.subject === subject)
  const bad = own.some(({ ok }) => !ok)
  const details = document.createElement('details')
  details.open = open || bad
  const summary = make('summary', bad ? 'bad' : 'good', '')
  summary.append(
    make('span', 'mark', bad ? '✗' : '✓'),
    make('span', '', `${WORDS.record[language]} `),
    make('code', '', subject),
  )
  details.append(summary, list(own, language))
  return details
}

function list(checks: readonly DossierCheck[], language: Language): HTMLElement {
  const items = checks.map((check) => {
    const { name, ok, absent, indeterminate, text, subject } = check
    const [kind, mark] = indeterminate ? ['unknown', '?'] : absent ? ['absent', '–'] : ok ? ['good', '✓'] : ['bad', '✗'] // prettier-ignore
    const item = make('li', kind ?? '', '')
    item.dataset['check'] = name
    const file = subject === undefined || isOfRecord(check) ? [] : [make('code', '', subject)]
    item.append(
      make('span', 'mark', mark ?? ''),
      make('b', '', CHECKS[name][language]),
      wrap('span', 'text', [make('span', '', text), ...file]),
    )
    return item
  })
  return wrap('ul', 'checks', items)
}

/** Personal values: shown, and kept nowhere. */
function openedValues(checks: readonly DossierCheck[], language: Language): HTMLElement[] {
  const rows = checks.flatMap(({ disclosed, subject, ok }) =>
    disclosed === undefined || !ok
      ? []
      : [
          wrap('tr', '', [
            make('td', '', subject ?? ''),
            make('td', '', disclosed.name),
            make('td', 'value', disclosed.json),
          ]),
        ],
  )
  if (rows.length === 0) return []
  return [
    make('h3', '', WORDS.opened[language]),
    wrap('table', 'opened', [wrap('tbody', '', rows)]),
  ]
}

function make(tag: string, className: string, text: string): HTMLElement {
  const node = document.createElement(tag)
  if (className !== '') node.className = className
  // What a file says is shown as characters, and turns no text around.
  node.textContent = text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '�')
  return node
}

function wrap(tag: string, className: string, children: readonly HTMLElement[]): HTMLElement {
  const node = make(tag, className, '')
  node.append(...children)
  return node
}
