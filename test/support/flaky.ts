/** A line that breaks: passes bytes on, and cuts its first connections after so many. @module */
import { connect, createServer, type AddressInfo } from 'node:net'

/** A line to a server. */
export interface FlakyLine {
  readonly url: string
  /** Connections that were cut. */
  readonly cuts: () => number
  close(): Promise<void>
}

/** @param cutAt bytes towards the server after which the next connection with more of them is cut; each once. */
export async function startFlakyLine(to: string, cutAt: readonly number[]): Promise<FlakyLine> {
  const { hostname, port } = new URL(to)
  const left = [...cutAt]
  let cuts = 0
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    let passed = 0
    near.on('data', (chunk: Buffer) => {
      passed += chunk.length
      const [limit = Number.POSITIVE_INFINITY] = left
      far.write(chunk)
      if (passed <= limit) return
      left.shift()
      cuts++
      near.destroy()
      far.destroy()
    })
    far.on('data', (chunk) => near.write(chunk))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      // prettier-ignore
      one.on('error', () => other.destroy())
      one.on('end', () => other.end())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
