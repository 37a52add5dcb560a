/** The verifier page: takes files, verifies them here, shows each check. Wiring only. @module */
import { DOSSIER_BYTES_MAX } from '../../dossier/limits.ts'
import { createDossierVerifier } from '../../dossier/verify.ts'
import { isZip } from '../../dossier/zip.ts'
import { parseExported } from '../../export-format.ts'
import { verifyExported } from '../../verify.ts'
import { parseTrust, type Trust } from '../../verify-trust.ts'
import { showResult, type Shown, showText } from './view.ts'
import { type Language, WORDS } from './words.ts'

interface Held {
  readonly name: string
  readonly bytes: Uint8Array
}

const state: { language: Language; dossier?: Held; trust?: Held; shown?: Shown } = {
  language: navigator.language.startsWith('zh') ? 'zh' : 'en',
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`no element ${id}`)
  return found
}

function speak(): void {
  const { language, dossier, trust, shown } = state
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  for (const node of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const key = node.dataset['text'] as keyof typeof WORDS
    node.textContent = WORDS[key][language]
  }
  if (dossier !== undefined) element('dossier-name').textContent = dossier.name
  if (trust !== undefined) element('trust-name').textContent = trust.name
  element('language').textContent = WORDS.other[language]
  if (shown !== undefined) showResult(element('result'), shown, language)
}

async function verify(): Promise<void> {
  const { dossier, trust, language } = state
  if (dossier === undefined) return
  showText(element('result'), WORDS.working[language])
  // Lets the browser paint before the work begins.
  await new Promise((resolve) => setTimeout(resolve, 20))
  state.shown = await verifyHeld(dossier, trust)
  speak()
}

/** Never throws: what cannot be read is shown as such. */
async function verifyHeld({ name, bytes }: Held, trust: Held | undefined): Promise<Shown> {
  const subject = { name, bytes }
  const unusable = (text: string): Shown => ({
    ...subject,
    verdict: 'unusable',
    checks: [{ name: 'container', ok: false, text }],
    development: false,
  })
  if (!globalThis.isSecureContext) return unusable(WORDS.insecure[state.language])
  try {
    const anchors = trust === undefined ? undefined : parseTrust(toText(trust.bytes))
    return { ...subject, ...(await verifyBytes(bytes, anchors)) }
  } catch (error) {
    return unusable(error instanceof Error ? error.message : String(error))
  }
}

function verifyBytes(bytes: Uint8Array, trust: Trust | undefined) {
  if (isZip(bytes)) return createDossierVerifier(trust)(bytes)
  return verifyExported(parseExported(toText(bytes)), trust)
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

async function take(role: 'dossier' | 'trust', file: File | undefined): Promise<void> {
  if (file === undefined) return
  if (file.size > DOSSIER_BYTES_MAX) {
    showText(element('result'), WORDS.fileTooLarge[state.language])
    return
  }
  state[role] = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }
  element(`${role}-drop`).classList.add('full')
  speak()
  await verify()
}

for (const role of ['dossier', 'trust'] as const) {
  const input = element(role) as HTMLInputElement
  const drop = element(`${role}-drop`)
  input.addEventListener('change', () => {
    void take(role, input.files?.[0])
    input.value = '' // The same file, changed since, can be chosen again.
  })
  drop.addEventListener('dragover', (event) => {
    event.preventDefault()
    drop.classList.add('over')
  })
  drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    void take(role, event.dataTransfer?.files[0])
  })
}
// A file that misses its place must not replace the page.
for (const type of ['dragover', 'drop']) {
  document.addEventListener(type, (event) => event.preventDefault())
}
element('language').addEventListener('click', () => {
  state.language = state.language === 'zh' ? 'en' : 'zh'
  speak()
})
speak()
