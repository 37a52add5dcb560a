import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { readCommandLine } from '../../bench/command-line.ts'

describe('the command line of the command', () => {
  it('is what benchmarks start a gateway with', () => {
    const { flags, environment } = readCommandLine()
    expect(flags).to.include('--expose-gc')
    expect(Object.keys(environment)).to.deep.equal(['MALLOC_ARENA_MAX'])
    // Started by itself, with a module in front that says how.
    const says = 'console.log(JSON.stringify([process.execArgv, process.env.MALLOC_ARENA_MAX]))'
    const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(says)}` } // prettier-ignore
    const printed = execFileSync('cli/sealgate.js', ['--help'], { encoding: 'utf8', env })
    const said: unknown = JSON.parse(printed.split('\n')[0] ?? '')
    expect(said).to.deep.equal([flags, environment['MALLOC_ARENA_MAX']])
  })
})
