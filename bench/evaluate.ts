/**
 * Prints precision and recall of the detectors per kind, on a labelled synthetic corpus, and whether
 * the guard blocks every text with authentication data. Same seed, same figures.
 * `npm run evaluate [-- --seed N] [-- --texts N] [-- --misses]` @module
 */
import { parseArgs } from 'node:util'
import { Problem } from '../base/problem.ts'
import { type Hit, createDetect } from '../gateway/guard/detect.ts'
import { createGuard } from '../gateway/guard/guard.ts'
import type { Kinds } from '../gateway/guard/kinds.ts'
import { REFUSE_SCORE } from '../gateway/guard/limits.ts'
import { type Sample, createCorpus, toBodies } from '../test/fixtures/people/corpus.ts'
import { loadDictionary } from '../test/guard/dictionary.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20261124' },
    texts: { type: 'string', default: '100' },
    misses: { type: 'boolean', default: false },
  },
})
const kinds = loadDictionary()
const corpus = createCorpus(Number(values.seed), Number(values.texts))
const scores = score(corpus, kinds)
print(scores, corpus)
process.exitCode = blockedShare(corpus, kinds) === 1 ? 0 : 1

interface Score {
  labels: number
  found: number
  hits: number
  right: number
}

/** A hit is right when a label of its kind covers at least half of it and it half of the label. */
function score(samples: readonly Sample[], kinds: Kinds): Map<string, Score> {
  const detect = createDetect(kinds)
  const scores = new Map<string, Score>()
  const of = (kind: string) => {
    const score = scores.get(kind) ?? { labels: 0, found: 0, hits: 0, right: 0 }
    scores.set(kind, score)
    return score
  }
  for (const { field, text, labels, source } of samples) {
    const hits = detect(text, field).filter(
      (hit) => hit.score >= REFUSE_SCORE && kinds.get(hit.kind)?.guard === 'refuse',
    )
    const agrees = (hit: Hit, label: Sample['labels'][number]) => {
      const shared = Math.min(hit.end, label.end) - Math.max(hit.start, label.start)
      const half = Math.max(hit.end - hit.start, label.end - label.start) / 2
      return hit.kind === label.kind && shared >= half
    }
    for (const label of labels) {
      of(label.kind).labels++
      if (hits.some((hit) => agrees(hit, label))) of(label.kind).found++
      else if (values.misses) console.log(`missed ${label.kind}: ${field}: ${text}`)
    }
    for (const hit of hits) {
      of(hit.kind).hits++
      if (labels.some((label) => agrees(hit, label))) of(hit.kind).right++
      else if (values.misses)
        console.log(`wrong ${hit.kind} (${hit.why}) in ${source}: ${field}: ${text}`)
    }
  }
  return scores
}

function print(scores: ReadonlyMap<string, Score>, samples: readonly Sample[]): void {
  const clean = samples.filter((sample) => sample.labels.length === 0).length
  console.log(
    `${samples.length} texts, ${clean} of them without personal data; seed ${values.seed}\n`,
  )
  console.log('| kind | labels | precision | recall |')
  console.log('| --- | ---: | ---: | ---: |')
  const total: Score = { labels: 0, found: 0, hits: 0, right: 0 }
  for (const [kind, score] of [...scores].sort(([a], [b]) => (a < b ? -1 : 1))) {
    printRow(kind, score)
    for (const key of ['labels', 'found', 'hits', 'right'] as const) total[key] += score[key]
  }
  printRow('all', total)
}

function printRow(kind: string, { labels, found, hits, right }: Score): void {
  const share = (part: number, of: number) => (of === 0 ? '–' : (part / of).toFixed(3))
  console.log(`| ${kind} | ${labels} | ${share(right, hits)} | ${share(found, labels)} |`)
}

/** The share of texts with C3 data that the guard refuses, plain and as JSON in a string. */
function blockedShare(samples: readonly Sample[], kinds: Kinds): number {
  const guard = createGuard(kinds)
  const everything = new Map(kinds.all.map(({ id }) => [id, new Set(['body:*'])]))
  const secret = samples.filter(({ labels }) =>
    labels.some(({ kind }) => kinds.get(kind)?.class === 'C3'),
  )
  const bodies = secret.flatMap(toBodies)
  const blocked = bodies.filter((body) => {
    try {
      guard.inspect({
        headers: [],
        query: '',
        path: '/',
        mediaType: 'application/json',
        body: Buffer.from(body),
        allowed: everything,
      })
    } catch (error) {
      if (error instanceof Problem) return true
      throw error
    }
    if (values.misses) console.log(`not blocked: ${body}`)
    return false
  })
  console.log(`\nC3 blocked: ${blocked.length} of ${bodies.length} bodies`)
  return blocked.length / bodies.length
}
