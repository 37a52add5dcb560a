/** One bounded HTTP exchange, as time stamps and revocation lists need it. @module */

/** Limits of one exchange. */
export interface FetchLimits {
  readonly timeoutMs: number
  readonly bytesMax: number
}

/** An answer whose body was read to its end. */
export interface BoundedAnswer {
  readonly status: number
  /** Media type without parameters, lower case. */
  readonly type: string | undefined
  readonly bytes: Uint8Array
}

/** Follows no redirect: who is asked is who was configured. @param fail makes the error to throw. */
export async function fetchBounded(
  url: string,
  request: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  { timeoutMs, bytesMax }: FetchLimits,
  fail: (why: string, cause?: unknown) => Error,
): Promise<BoundedAnswer> {
  let answer: Response
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    answer = await fetch(url, { ...request, redirect: 'error', signal })
  } catch (cause) {
    throw fail('no answer', cause)
  }
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    // Attacker-controlled: neither Content-Length nor the end of the body can be believed.
    for await (const part of answer.body ?? []) {
      size += part.length
      if (size > bytesMax) break
      parts.push(part)
    }
  } catch (cause) {
    throw fail('the answer broke off', cause)
  }
  if (size > bytesMax) throw fail(`the answer has over ${bytesMax} bytes`)
  return { status: answer.status, type, bytes: Buffer.concat(parts) }
}
