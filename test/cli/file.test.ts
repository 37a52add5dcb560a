import { expect } from 'chai'
import { renderProgress } from '../../cli/file.ts'

// prettier-ignore
const LINES = [
  { name: 'half way',          rows: 120_000, received: 12e6, total: 24e6, seconds: 2, want: 'f.txt: 120000 rows, 12.0 of 24.0 MB, 6.0 MB/s, 2 s left' },
  { name: 'before the start',  rows: 0,       received: 0,    total: 24e6, seconds: 0, want: 'f.txt: 0 rows, 0.0 of 24.0 MB, 0.0 MB/s' },
  { name: 'a long way off',    rows: 1,       received: 10e6, total: 2e9,  seconds: 1, want: 'f.txt: 1 rows, 10.0 of 2000.0 MB, 10.0 MB/s, 4 min left' },
  { name: 'at the end',        rows: 7,       received: 24e6, total: 24e6, seconds: 3, want: 'f.txt: 7 rows, 24.0 of 24.0 MB, 8.0 MB/s, 0 s left' },
]

describe('the progress of a file', () => {
  for (const { name, rows, received, total, seconds, want } of LINES) {
    it(name, () => {
      expect(renderProgress('f.txt', { rows, received, forwarded: 0 }, total, seconds)).to.equal(
        want,
      )
    })
  }
})
