/** SM3 (GB/T 32905), for where node:crypto is not: the verifier page. Portable; public data only. @module */

const START = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
]
const BLOCK = 64

/** The digest, 32 bytes. */
export function sm3(data: Uint8Array): Uint8Array {
  const state = Uint32Array.from(START)
  const padded = pad(data)
  for (let at = 0; at < padded.byteLength; at += BLOCK) compress(state, padded, at)
  const digest = new DataView(new ArrayBuffer(32))
  for (const [at, word] of state.entries()) digest.setUint32(4 * at, word)
  return new Uint8Array(digest.buffer)
}

/** §5.2: a one bit, zeros, the length in bits as 64 bits. */
function pad(data: Uint8Array): DataView {
  const bytes = new Uint8Array(Math.ceil((data.length + 9) / BLOCK) * BLOCK)
  bytes.set(data)
  bytes[data.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setBigUint64(bytes.length - 8, BigInt(data.length) * 8n)
  return view
}

const rotate = (x: number, n: number): number => (x << (n % 32)) | (x >>> (32 - (n % 32)))
const p0 = (x: number): number => x ^ rotate(x, 9) ^ rotate(x, 17)
const p1 = (x: number): number => x ^ rotate(x, 15) ^ rotate(x, 23)

/** §5.3.2 and §5.3.3. */
function compress(state: Uint32Array, block: DataView, at: number): void {
  const w = new Int32Array(68)
  for (let j = 0; j < 16; j += 1) w[j] = block.getInt32(at + 4 * j)
  const word = (j: number): number => w[j] ?? 0
  for (let j = 16; j < 68; j += 1) {
    const mixed = p1(word(j - 16) ^ word(j - 9) ^ rotate(word(j - 3), 15))
    w[j] = mixed ^ rotate(word(j - 13), 7) ^ word(j - 6)
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let j = 0; j < 64; j += 1) {
    const early = j < 16
    const ss1 = rotate((rotate(a, 12) + e + rotate(early ? 0x79cc4519 : 0x7a879d8a, j)) | 0, 7)
    const ss2 = ss1 ^ rotate(a, 12)
    const ff = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
    const gg = early ? e ^ f ^ g : (e & f) | (~e & g)
    const tt1 = (ff + d + ss2 + (word(j) ^ word(j + 4))) | 0
    const tt2 = (gg + h + ss1 + word(j)) | 0
    ;[d, c, b, a] = [c, rotate(b, 9), a, tt1]
    ;[h, g, f, e] = [g, rotate(f, 19), e, p0(tt2)]
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) ^ value
}
