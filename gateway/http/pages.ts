/** The pages at `/problems/<slug>`: what a problem's `type` leads to. @module */
import { problemTypes } from '../../base/problem.ts'

const PAGES: ReadonlyMap<string, string> = new Map(
  problemTypes().map(({ slug, status, title, help, retry }) => [
    slug,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeText(title)}</title>` +
      `<h1>${escapeText(title)}</h1><dl><dt>Slug<dd><code>${slug}</code><dt>Status<dd>${status}` +
      `<dt>What to do<dd>${escapeText(help)}<dt>Repeating the request<dd>` +
      `${retry ? 'may succeed' : 'will not help by itself'}</dl>` +
      '<p>Nothing in a problem document is personal data. Give its Evidence-Id to the operator.</p>',
  ]),
)

/** The page of one problem type, or of all of them for the empty slug. */
export function problemPage(slug: string): string | undefined {
  if (slug !== '') return PAGES.get(slug)
  const items = problemTypes().map(
    (type) => `<li><a href="/problems/${type.slug}">${escapeText(type.title)}</a>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title><ul>${items.join('')}</ul>`
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'))
}
