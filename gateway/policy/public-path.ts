/** Paths for messages: a body chooses its names, so they may be personal, and only known ones are shown. Pure. @module */
import { formatPath, parsePath } from './path.ts'
import type { Path, Rule, Segment } from './policy.ts'

/** The path, `[*]` standing for each name that is not public. */
export function publicPath(path: Path, isPublic: (name: string) => boolean): string {
  const show = (segment: Segment): Segment =>
    segment.step === 'name' && !isPublic(segment.name) ? { step: 'wildcard' } : segment
  return formatPath(path.map(show))
}

/** The same of a path's text; `$` when it is none. */
export function publicPathOf(text: string, isPublic: (name: string) => boolean): string {
  const parsed = parsePath(text)
  return publicPath('path' in parsed ? parsed.path : [], isPublic)
}

/** The names that rules spell out: whoever agreed on the policy knows them. */
export function namesOfRules(rules: Iterable<Pick<Rule, 'path' | 'to'>>): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { path, to = [] } of rules) {
    for (const segment of [...path, ...to]) {
      const step = segment.step === 'descendant' ? segment.of : segment
      if (step.step === 'name') names.add(step.name)
    }
  }
  return names
}
