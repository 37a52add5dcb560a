import { expect } from 'chai'
import { makeJob, parseJob } from '../../workers/job.ts'
import { recordMaker } from '../log/records.ts'

const known = { digest: 'd', receivedUs: 1, links: {} }

describe('jobs', () => {
  it('carry each record and nothing that is known of it', () => {
    const records = recordMaker(41).many(3)
    const job = makeJob(records.map((record) => ({ ...record, known })))
    expect(job).to.deep.equal({ v: 1, records })
    expect(parseJob(JSON.parse(JSON.stringify(job)))).to.deep.equal(records)
  })

  it('are not believed about what a JWS says', () => {
    const record = recordMaker(42).next()
    const forged = { ...record, known, board: {}, start: 0, middle: 0, end: 0 }
    expect(parseJob({ v: 1, records: [forged] })).to.deep.equal([record])
  })
})
