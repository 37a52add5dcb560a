import { expect } from 'chai'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { exportDossier } from '../../evidence/dossier/export.ts'
import { createDossierVerifier } from '../../evidence/dossier/verify.ts'
import { exportRecord } from '../../evidence/export.ts'
import { formatExported } from '../../evidence/export-format.ts'
import { buildPage } from '../../evidence/page/build.ts'
import { formatTrust } from '../../evidence/verify-trust.ts'
import { FORGERIES } from '../dossier/forgeries.ts'
import { type Case, makeCase } from '../dossier/maker.ts'
import { describeForeign } from '../foreign/tool.ts'

const CHROMIUM = '/usr/bin/chromium'
// prettier-ignore
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

describe('building the verifier page', () => {
  it('gives the same bytes again, without a module of Node, and names no address to load from', async () => {
    const { html, inputs } = await buildPage()
    expect((await buildPage()).html).to.equal(html)
    expect(inputs.filter((path) => path.startsWith('node:'))).to.deep.equal([])
    expect(inputs).to.include('evidence/dossier/verify.ts').and.include('evidence/verify.ts')
    const [head = ''] = html.split('<style>')
    expect(head)
      .to.include("default-src 'none'")
      .and.match(/script-src 'sha256-[\w+/=]{44}';/)
    expect(html).to.not.match(/<(link|img|iframe|script)\b[^>]*\b(href|src)=/)
  })
})

describeForeign('the verifier page in Chromium', [CHROMIUM, '--version'], () => {
  let folder: string
  let it0: Case
  let zip: Uint8Array
  let context: BrowserContext
  let page: Page
  const requests: string[] = []
  const complaints: string[] = []
  const path = (name: string) => join(folder, name)

  before(async function () {
    this.timeout(60_000)
    folder = mkdtempSync(join(tmpdir(), 'sealgate-page-'))
    mkdirSync(path('case'))
    it0 = await makeCase(path('case'))
    zip = await exportDossier(it0.ports, {
      selection: { rids: it0.rids },
      queries: it0.rids.map((rid) => ({ rid })),
      open: [{ name: 'f:$.name', value: '测试' }],
      complete: true,
    })
    writeFileSync(path('case.zip'), zip)
    writeFileSync(path('trust.json'), formatTrust(it0.trust))
    writeFileSync(path('verify.html'), (await buildPage()).html)
    context = await chromium.launchPersistentContext(path('profile'), {
      ...{
        executablePath: CHROMIUM,
        headless: true,
        args: FLAGS,
        locale: 'en-GB',
        timeout: 30_000,
      },
    })
    context.on('request', (request) => requests.push(request.url()))
    page = await context.newPage()
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
  })
  after(async () => {
    await context?.close()
    await it0.close()
    rmSync(folder, { recursive: true, force: true })
  })

  let trusted: string | undefined | null = null
  /** Gives the page files, as a person would; opens it anew when the trust file is another. */
  const show = async (file: string, trust?: string) => {
    if (trust !== trusted) await page.goto(`file://${path('verify.html')}`)
    if (trust !== trusted && trust !== undefined) await page.setInputFiles('#trust', path(trust))
    trusted = trust
    await page.evaluate('delete document.getElementById("result").dataset.verdict')
    await page.setInputFiles('#dossier', path(file))
    await page.waitForSelector('#result[data-verdict]', { timeout: 30_000 })
    const verdict = await page.getAttribute('#result', 'data-verdict')
    const checks = await page
      .locator('#result li')
      .evaluateAll((items) =>
        items.map((item) => `${item.className} ${item.getAttribute('data-check')}`),
      )
    return { verdict, checks: checks.sort() }
  }
  const classOf = (check: { ok: boolean; absent?: true; indeterminate?: true }) =>
    check.indeterminate ? 'unknown' : check.absent ? 'absent' : check.ok ? 'good' : 'bad'
  const byNode = async (bytes: Uint8Array, trusted: boolean) => {
    const verify = createDossierVerifier(trusted ? it0.trust : undefined)
    const { verdict, checks } = await verify(bytes)
    return { verdict, checks: checks.map((check) => `${classOf(check)} ${check.name}`).sort() }
  }

  it('finds a good dossier valid, check by check as the command does', async () => {
    const shown = await show('case.zip', 'trust.json')
    expect(shown).to.deep.equal(await byNode(zip, true))
    expect(shown.verdict).to.equal('valid')
    const text = await page.textContent('#result')
    expect(text).to.include('Every check passed').and.include('测试').and.include('f:$.name')
  })

  it('says "not anchored" without a trust file', async () => {
    expect(await show('case.zip')).to.deep.equal(await byNode(zip, false))
    expect(await page.textContent('#result')).to.include('keys that came with the file itself')
  })

  it('speaks Chinese too', async () => {
    await show('case.zip', 'trust.json')
    await page.click('#language')
    const text = await page.textContent('#result')
    expect(text).to.include('核验通过').and.include('日志一致性')
    expect(await page.getAttribute('html', 'lang')).to.equal('zh-CN')
    await page.click('#language')
  })

  it('verifies the export of one record', async () => {
    const exported = await exportRecord(it0.ports, it0.rids[1] ?? '')
    writeFileSync(path('record.json'), formatExported(exported))
    expect((await show('record.json', 'trust.json')).verdict).to.equal('valid')
  })

  for (const { name, make } of FORGERIES) {
    it(`agrees with the command on ${name}`, async () => {
      const bytes = make(zip)
      writeFileSync(path('forged.zip'), bytes)
      const shown = await show('forged.zip', 'trust.json')
      expect(shown).to.deep.equal(await byNode(bytes, true))
      expect(shown.verdict).to.equal('invalid')
    })
  }

  it('says that what is no dossier is unusable', async () => {
    writeFileSync(path('cut.zip'), zip.subarray(0, -100))
    expect(await show('cut.zip', 'trust.json')).to.deep.equal({
      verdict: 'unusable',
      checks: ['bad container'],
    })
    writeFileSync(path('other.json'), '{')
    expect((await show('other.json')).verdict).to.equal('unusable')
  })

  it('takes a file that is dropped on it, and puts nothing of it into markup', async () => {
    await page.goto(`file://${path('verify.html')}`)
    await page.evaluate(`
      const data = new DataTransfer()
      data.items.add(new File(['{"format":"<img src=x onerror=alert(1)>"}'], '<b>.json'))
      const options = { dataTransfer: data, bubbles: true, cancelable: true }
      document.getElementById('dossier-drop').dispatchEvent(new DragEvent('drop', options))
    `)
    await page.waitForSelector('#result[data-verdict=unusable]')
    expect(await page.textContent('#dossier-name')).to.equal('<b>.json')
    expect(await page.$('#result img, #dossier-name b')).to.equal(null)
  })

  it('has asked for nothing, and complained of nothing', () => {
    expect(requests.filter((url) => url !== `file://${path('verify.html')}`)).to.deep.equal([])
    expect(complaints).to.deep.equal([])
  })

  it('could reach nothing, even when something in it tried', async () => {
    let connections = 0
    const server = createServer(() => (connections += 1)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await page.goto(`file://${path('verify.html')}`)
    const seen = await page.evaluate(`(async () => {
      const violations = []
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective))
      const answer = await fetch('http://127.0.0.1:${port}/').then(() => 'sent', () => 'refused')
      new Image().src = 'http://127.0.0.1:${port}/x.png'
      navigator.sendBeacon('http://127.0.0.1:${port}/')
      const script = document.createElement('script')
      script.textContent = 'document.title = "run"'
      document.body.append(script)
      await new Promise((resolve) => setTimeout(resolve, 500))
      return { answer, violations: violations.sort(), title: document.title }
    })()`)
    server.close()
    expect(connections).to.equal(0)
    expect(seen).to.deep.equal({
      answer: 'refused',
      violations: ['connect-src', 'connect-src', 'img-src', 'script-src-elem'],
      title: '证据卷宗核验 · Dossier verification',
    })
  })
})
