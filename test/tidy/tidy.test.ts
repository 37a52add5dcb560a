/** The house style, as far as a machine can see it. @module */
import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

const FILES = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(path))
const SOURCES = FILES.filter((path) => path.endsWith('.ts'))
const PRODUCT = SOURCES.filter((path) => !/^(test|bench|\.ci)\//.test(path))
const MODULE_LINES_MAX = 300
const FUNCTION_LINES_MAX = 70
const COLUMNS_MAX = 140

/** What each floor may import of ours, besides itself (design: imports go down only). */
const FLOORS: Record<string, readonly string[]> = {
  base: [],
  evidence: ['base'],
  gateway: ['base', 'evidence', 'workers'],
  workers: ['base', 'evidence'],
  console: ['base', 'evidence', 'gateway', 'workers'],
  cli: ['base', 'evidence', 'gateway', 'workers', 'console'],
}
/** Modules that do I/O, or read clock or randomness: barred from the pure floor. */
const IMPURE = /^node:(fs|net|http|https|child_process|dns|os|worker_threads|sqlite|tls)/

const read = (path: string) => readFileSync(path, 'utf8')
const lines = (path: string) => read(path).split('\n')
const floorOf = (path: string) => path.split('/')[0] ?? ''
const importsOf = (path: string) =>
  [...read(path).matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'/gm)].map(
    (m) => m[1] ?? '',
  )

/** Collects one line per offence, so that all are seen at once. */
function offences(paths: readonly string[], find: (path: string) => Iterable<string>): string[] {
  return paths.flatMap((path) => [...find(path)].map((offence) => `${path}: ${offence}`))
}

describe('floors', () => {
  it('imports go down only', () => {
    const upward = offences(
      PRODUCT.filter((path) => floorOf(path) in FLOORS),
      function* (path) {
        const floor = floorOf(path)
        for (const specifier of importsOf(path).filter((s) => s.startsWith('.'))) {
          const target = floorOf(normalize(join(dirname(path), specifier)))
          if (target !== floor && !FLOORS[floor]?.includes(target)) yield `imports ${specifier}`
        }
      },
    )
    expect(upward).to.deep.equal([])
  })

  it('the base floor does no I/O', () => {
    const impure = offences(
      PRODUCT.filter((path) => floorOf(path) === 'base'),
      (path) => importsOf(path).filter((specifier) => IMPURE.test(specifier)),
    )
    expect(impure).to.deep.equal([])
  })

  it('every product file lies on a floor', () => {
    expect(PRODUCT.filter((path) => !(floorOf(path) in FLOORS))).to.deep.equal([])
  })

  it('every product module is used by another file', () => {
    const used = new Set(
      SOURCES.flatMap((path) =>
        importsOf(path)
          .concat(
            [...read(path).matchAll(/import\('([^']+)'\)|new URL\('([^']+)'/g)].map(
              (m) => m[1] ?? m[2] ?? '',
            ),
          )
          .filter((s) => s.startsWith('.'))
          .map((s) => normalize(join(dirname(path), s))),
      ),
    )
    const entries = /^cli\/(main|demo\/main)\.ts$/
    expect(PRODUCT.filter((path) => !used.has(path) && !entries.test(path))).to.deep.equal([])
  })
})

describe('house style', () => {
  it(`modules have at most ${MODULE_LINES_MAX} lines`, () => {
    expect(PRODUCT.filter((path) => lines(path).length > MODULE_LINES_MAX + 1)).to.deep.equal([])
  })

  it(`functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
    const long = offences(PRODUCT, function* (path) {
      const text = lines(path)
      for (const [index, line] of text.entries()) {
        const opening = /^(\s*)(?:export )?(?:async )?function\*? (\w+)/.exec(line)
        if (opening === null || /\}\s*$/.test(line)) continue
        const end = text.indexOf(`${opening[1]}}`, index)
        if (end - index + 1 > FUNCTION_LINES_MAX) yield `${opening[2]} has ${end - index + 1} lines`
      }
    })
    expect(long).to.deep.equal([])
  })

  it('lines are not too long', () => {
    // Tables marked `prettier-ignore` may be wider.
    const wide = offences(SOURCES, function* (path) {
      if (read(path).includes('prettier-ignore')) return
      for (const [index, line] of lines(path).entries()) {
        if (line.length > COLUMNS_MAX) yield `${index + 1}`
      }
    })
    expect(wide).to.deep.equal([])
  })

  it('uses no forbidden construct', () => {
    const FORBIDDEN: readonly [RegExp, string][] = [
      [/\beval\(/, 'eval'],
      [/new Function\(/, 'new Function'],
      [/\b(it|describe)\.(skip|only)\(/, 'a skipped or lone test'],
      [/\bTODO\b(?!\(#\d+\))/, 'a bare TODO'],
      [/\bFIXME\b/, 'FIXME'],
      [/catch\s*\{\s*\}/, 'an empty catch'],
    ]
    const found = offences(
      SOURCES.filter((path) => path !== 'test/tidy/tidy.test.ts'),
      function* (path) {
        for (const [index, line] of lines(path).entries()) {
          for (const [pattern, name] of FORBIDDEN)
            if (pattern.test(line)) yield `${index + 1} ${name}`
        }
      },
    )
    expect(found).to.deep.equal([])
  })

  it('documents every export', () => {
    const bare = offences(PRODUCT, function* (path) {
      const text = lines(path)
      for (const [index, line] of text.entries()) {
        const name = /^export (?:async )?(?:function\*?|class|const) (\w+)/.exec(line)?.[1]
        const above = text[index - 1]?.trim() ?? ''
        if (name !== undefined && !/\*\/$|^\/\/ (prettier|biome)-ignore/.test(above)) yield name
      }
    })
    expect(bare).to.deep.equal([])
  })

  it('carries no registry address and no path of one machine', () => {
    const found = offences(
      FILES.filter(
        (path) =>
          /\.(ts|js|json|ya?ml|md)$|^\.ci\//.test(path) && !path.startsWith('test/vectors/'),
      ),
      function* (path) {
        if (
          path !== 'test/tidy/tidy.test.ts' &&
          /"resolved":|\/work\/|\/root\/|\/home\/[a-z]/.test(read(path))
        )
          yield 'found'
      },
    )
    expect(found).to.deep.equal([])
  })

  it('links only to files that exist', () => {
    const dead = offences(
      FILES.filter((path) => path.endsWith('.md') && !path.startsWith('test/vectors/')),
      function* (path) {
        for (const match of read(path).matchAll(
          /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g,
        )) {
          const target = join(dirname(path), match[1] ?? '')
          if (!existsSync(target)) yield relative('.', target)
        }
      },
    )
    expect(dead).to.deep.equal([])
  })
})
