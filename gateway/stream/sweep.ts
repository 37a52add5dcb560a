/** Garbage of long bodies: buffers are hardly any load to node's heap, so it would let 100 MB of them lie. @module */

/** Bytes between two sweeps. */
const SWEEP_BYTES = 1_048_576

/** @returns is told of the bytes that were worked on, and sweeps the young generation now and then. */
export function startSweeping(): (bytes: number) => void {
  let worked = 0
  return (bytes) => {
    worked += bytes
    if (worked < SWEEP_BYTES) return
    worked = 0
    globalThis.gc?.({ type: 'minor', execution: 'sync' }) // With `--expose-gc`, as cli/sealgate.js has it.
  }
}
