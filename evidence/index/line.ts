/** The index as one log of a line sees it: its own positions start at 0. @module */
import { EMPTY_ROOT } from '../log/merkle.ts'
import type { EvidenceIndex } from './index.ts'

/**
 * @param offset position of the log's first leaf in the line.
 * @param refill fills an empty index from the logs before.
 */
export function lineIndex(
  index: EvidenceIndex,
  offset: number,
  refill: () => Promise<void>,
): EvidenceIndex {
  return {
    head: async () => {
      const { size, root } = await index.head()
      // The logs before are in, this one is not begun.
      if (size === offset) return { size: 0, root: EMPTY_ROOT.toString('base64') }
      return { size: size - offset, root }
    },
    // A record of an earlier log keeps its place there, below 0: it is not appended again.
    match: async (names) =>
      (await index.match(names)).map(
        (known) => known && { ...known, position: known.position - offset },
      ),
    add: (rows, { size, root }) =>
      index.add(
        rows.map((row) => ({ ...row, position: row.position + offset })),
        { size: size + offset, root },
      ),
    search: async (query) =>
      (await index.search(query)).map((row) => ({ ...row, position: row.position - offset })),
    clear: async () => {
      await index.clear()
      await refill()
    },
    close: () => index.close(),
  }
}
