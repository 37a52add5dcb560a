/** `npm run bench -- cost`: where each microsecond goes, by leaving parts out, each in the same interleaved run. @module */
import { interleave, spread } from './harness.ts'
import { makeBody } from './loan.ts'
import { stackSvg } from './picture.ts'
import { markdownTable, spreadText } from './report.ts'
import { openRig, type Place, type SealgateOptions, sending } from './rig.ts'

const CONNECTIONS = 32
/** Compilers need some ten thousand requests. */
const WARM_UPS = 5

/** What the next step leaves out, and what the difference is the cost of. */
const STEPS: readonly { readonly name: string; readonly without: string; readonly part: string }[] =
  [
    { name: 'without evidence', without: 'evidence', part: 'evidence: commitments, journal, seal, log, index' },
    { name: 'and without credentials', without: 'credentials', part: 'who calls: the credential and its use once' },
    { name: 'and without signature', without: 'signature', part: 'the signature for the recipient' },
    { name: 'and without guard', without: 'guard', part: 'the leak guard, both directions' },
  ] // prettier-ignore

/** What cannot be left out, one more in each line. */
const LEAST = [
  { name: 'node:http and a lean client, untouched', parts: [] },
  { name: 'and shared secrets: two MACs', parts: ['secrets'] },
  { name: 'and 16 commitments, one ES256 seal', parts: ['secrets', 'seal'] },
  { name: 'and two durable entries', parts: ['secrets', 'seal', 'durable'] },
  { name: 'the same with keys: ES256 verified, Ed25519 signed', parts: ['jwt', 'seal', 'durable'] },
] as const // prettier-ignore

/** Keeps a picture. @returns the Markdown that shows it. */
export type Draw = (name: string, alt: string, svg: string) => string

/** @returns the section's Markdown. */
export async function runCost(rounds: number, requests: number, draw: Draw): Promise<string> {
  const sections: string[] = []
  for (const [title, options] of [
    ['Callers with JWTs (ES256), Ed25519 towards the bank', {}],
    ['Shared secrets (hmac-sha256) on both sides', { secrets: true }],
  ] as const)
    sections.push(await costOf(title, options, { rounds, requests, draw }))
  sections.push(await leastCost(rounds, requests))
  return sections.join('\n\n')
}

/** What is left when everything is left out that the contracts do not ask for; it bounds what any redesign can reach. */
async function leastCost(rounds: number, requests: number): Promise<string> {
  const rig = await openRig()
  try {
    const places = [await rig.express('express + HPM, untouched', 'pass')]
    for (const { name, parts } of LEAST) places.push(await rig.least(name, parts))
    const results = await measureAll(places, rounds, requests)
    const table = markdownTable(
      ['variant', 'CPU µs per request'],
      places.map(({ name }) => [name, spreadText(results.get(name), ({ cpuUs }) => cpuUs)]),
    )
    return `**The least: no policy, no guard, no log, no record but its signature**\n\n${table}`
  } finally {
    await rig.close()
  }
}

async function costOf(
  title: string,
  options: SealgateOptions,
  { rounds, requests, draw }: { rounds: number; requests: number; draw: Draw },
) {
  const rig = await openRig()
  try {
    const places = [await rig.sealgate('complete', options)]
    const without: string[] = []
    for (const step of STEPS) {
      without.push(step.without)
      places.push(await rig.sealgate(step.name, { ...options, without: [...without] }))
    }
    const results = await measureAll(places, rounds, requests)
    const costs = places.map(({ name }) => spread(results.get(name), ({ cpuUs }) => cpuUs).median)
    const parts = STEPS.map(({ part }, index) => ({
      label: part,
      value: Math.max(0, (costs[index] ?? 0) - (costs[index + 1] ?? 0)),
    }))
    parts.push({
      label: 'HTTP in and out, routing, rewriting both bodies',
      value: costs.at(-1) ?? 0,
    })
    const name = options.secrets === true ? 'cost-secrets' : 'cost-jwt'
    const picture = draw(name, title, stackSvg({ title, parts }))
    const table = markdownTable(
      ['variant', 'CPU µs per request', 'the step is the cost of'],
      places.map((place, index) => [
        place.name,
        spreadText(results.get(place.name), ({ cpuUs }) => cpuUs),
        index === 0 ? '' : (STEPS[index - 1]?.part ?? ''),
      ]),
    )
    return `**${title}**\n\n${picture}\n\n${table}`
  } finally {
    await rig.close()
  }
}

function measureAll(places: readonly Place[], rounds: number, requests: number) {
  const variants = places.map((place) => sending(place, makeBody(1)))
  return interleave(variants, { connections: CONNECTIONS, requests }, rounds, WARM_UPS)
}
