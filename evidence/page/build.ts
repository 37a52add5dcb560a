/** Builds the verifier page: one HTML file that holds all it needs and can reach nothing. @module */
import { build, type Plugin } from 'esbuild'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const ENTRY = fileURLToPath(new URL('./browser/main.ts', import.meta.url))
const BUFFER = fileURLToPath(new URL('./browser/buffer.ts', import.meta.url))
const CRYPTO = fileURLToPath(new URL('./browser/crypto.ts', import.meta.url))
const PORT = fileURLToPath(new URL('../crypto.ts', import.meta.url))

/** What was built, and from what. */
export interface Page {
  readonly html: string
  /** Modules in the bundle, as paths. */
  readonly inputs: readonly string[]
}

/** Makes the page; the same sources and libraries give the same bytes. */
export async function buildPage(): Promise<Page> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints: [ENTRY],
    inject: [BUFFER],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome119', 'firefox121', 'safari17.4'],
    charset: 'utf8',
    legalComments: 'eof',
    logLevel: 'error',
    plugins: [swapPort],
  })
  const script = outputFiles[0]?.text.trim() ?? ''
  const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')
  const style = (await read('./page.css')).trim()
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const html = (await read('./page.html'))
    .replace('{policy}', () => policy)
    .replace('{style}', () => style)
    .replace('{script}', () => script)
  // Only what is left after tree shaking: a module of Node in there would be a check that cannot run.
  const output = Object.values(metafile.outputs)[0]
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, each]) => each.bytesInOutput > 0)
  return { html, inputs: inputs.map(([path]) => path) }
}

/**
 * Puts the browser's implementation in the place of the port. Modules of Node become empty: what
 * uses them writes evidence, and no verification calls it.
 */
const swapPort: Plugin = {
  name: 'port',
  setup(bundle) {
    bundle.onLoad({ filter: /crypto\.ts$/ }, async ({ path }) => {
      if (path !== PORT) return undefined
      const contents = `export * from ${JSON.stringify(CRYPTO)}`
      return { contents, loader: 'ts', resolveDir: fileURLToPath(new URL('.', import.meta.url)) }
    })
    bundle.onResolve({ filter: /^node:/ }, ({ path }) => ({
      ...{ path, namespace: 'node', sideEffects: false },
    }))
    bundle.onLoad({ filter: /.*/, namespace: 'node' }, () => ({
      ...{ contents: 'module.exports = {}', loader: 'js' as const },
    }))
  },
}

/** CSP Level 3 §2.3.1. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
