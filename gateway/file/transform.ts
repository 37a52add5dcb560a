/** One file through policy and guard into a file that nobody sees yet. Constant memory. @module */
import { createHash, type Hash } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { Problem } from '../../base/problem.ts'
import type { RowLedger } from '../../evidence/rows/ledger.ts'
import { createPassage, type Passage, type Progress } from '../stream/passage.ts'
import type { BodyGuard } from '../stream/window.ts'
import type { CompiledDirection } from '../transform/compile.ts'
import type { BodyFormat } from '../transform/format.ts'
import { openInput } from './folder.ts'
import { BUFFERS_BYTES, FILE_BYTES_MAX, READ_BYTES, WRITE_BYTES } from './limits.ts'

/** What one run is made of. */
export interface TransformOptions {
  readonly rules: CompiledDirection
  readonly format: BodyFormat
  readonly guard: BodyGuard
  readonly ledger: RowLedger
  /** Told of the passage once it is under way. @param total bytes of the input. */
  readonly begin: (progress: () => Progress, total: number) => void
}

/** What came and what will leave. */
export interface Transformed {
  readonly passage: Passage
  /** Lower-case hex. */
  readonly md5In: string
  readonly md5Out: string
}

/**
 * Reads `input`, writes `part`, and makes it durable.
 *
 * @throws {Problem} as `rewriteBody` and the guard do; `file-refused` when the input changed meanwhile.
 */
export async function transformFile(
  input: string,
  part: string,
  { begin, ...options }: TransformOptions,
): Promise<Transformed> {
  const source = await openInput(input)
  try {
    await rm(part, { force: true })
    const target = await open(part, 'wx', 0o640)
    try {
      const before = await source.stat()
      // prettier-ignore
      const passage = createPassage({
        ...options, decode: undefined, encode: undefined,
        limits: { bytesMax: FILE_BYTES_MAX, ratioMax: 1 },
      })
      begin(passage.progress, before.size)
      const [hashIn, hashOut] = [createHash('md5'), createHash('md5')]
      for await (const bytes of inBulk(passage.run(read(source, hashIn)))) {
        hashOut.update(bytes)
        await writeAll(target, bytes)
        // Buffers that grew old are hardly any load to node's heap, so it would let 60 MB of them lie.
        if (process.memoryUsage().arrayBuffers > BUFFERS_BYTES) globalThis.gc?.()
      }
      await target.datasync()
      const { size, mtimeMs } = await source.stat()
      if (size !== before.size || mtimeMs !== before.mtimeMs) {
        throw new Problem('file-refused', 'it changed while it was read')
      }
      return { passage, md5In: hashIn.digest('hex'), md5Out: hashOut.digest('hex') }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** One buffer for all of it, as below: whoever pulls is done with a part before asking for the next. */
async function* read(file: FileHandle, hash: Hash): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(READ_BYTES)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null)
    if (bytesRead === 0) return
    const bytes = buffer.subarray(0, bytesRead)
    hash.update(bytes)
    yield bytes
  }
}

async function* inBulk(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // Parts that wait would grow old, and lie about until node looks through all of its memory.
  const buffer = Buffer.alloc(WRITE_BYTES)
  let size = 0
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(buffer, size, at)
      at += copied
      size += copied
      if (size < WRITE_BYTES) continue
      yield buffer
      size = 0
    }
  }
  yield buffer.subarray(0, size)
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += (await file.write(bytes, at)).bytesWritten
  }
}
