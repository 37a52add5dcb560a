/** How partners make and read their envelopes: node:crypto by hand and jose, none of our own code. @module */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

/** `channelCode + data`: AES-256-CBC behind a random vector, Base64, HMAC-SHA-256 over the sorted members. */
export function createChannel(key: Buffer, secret: Buffer, channelCode: string) {
  const mac = (members: Readonly<Record<string, string>>) =>
    createHmac('sha256', secret)
      .update(
        Object.keys(members)
          .filter((name) => name !== 'sign')
          .toSorted()
          .map((name) => `${name}=${members[name]}`)
          .join('&'),
      )
      .digest('hex')
  return {
    seal: (text: string, more: Readonly<Record<string, string>> = {}): string => {
      const iv = randomBytes(16)
      const cipher = createCipheriv('aes-256-cbc', key, iv)
      const data = Buffer.concat([iv, cipher.update(text), cipher.final()]).toString('base64')
      const members = { channelCode, data, ...more }
      return JSON.stringify({ ...members, sign: mac(members) })
    },
    open: (body: string): string => {
      const members = JSON.parse(body) as Record<string, string>
      if (mac(members) !== members['sign']) throw new Error('not signed')
      const bytes = Buffer.from(members['data'] ?? '', 'base64')
      const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16))
      return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString()
    },
  }
}

/** The `X-Ca-*` and `Content-MD5` fields of one request, as the API gateways' own clients make them. */
export function signHead(
  secret: string,
  request: {
    readonly method: string
    readonly path: string
    readonly body: string
    readonly key: string
    readonly timestamp?: string
    readonly nonce?: string
    readonly accept?: string
    readonly contentType?: string
  },
): Record<string, string> {
  const { method, path, body, key, accept = '', contentType = 'application/json' } = request
  const timestamp = request.timestamp ?? String(Date.now())
  const nonce = request.nonce ?? randomBytes(12).toString('hex')
  const md5 = body === '' ? '' : createHash('md5').update(body).digest('base64')
  const text = [
    method,
    accept,
    md5,
    body === '' ? '' : contentType,
    '',
    `x-ca-key:${key}`,
    `x-ca-nonce:${nonce}`,
    `x-ca-timestamp:${timestamp}`,
    path,
  ].join('\n')
  return {
    ...(accept === '' ? {} : { accept }),
    ...(body === '' ? {} : { 'content-md5': md5, 'content-type': contentType }),
    'x-ca-key': key,
    'x-ca-timestamp': timestamp,
    'x-ca-nonce': nonce,
    'x-ca-signature-headers': 'x-ca-key,x-ca-nonce,x-ca-timestamp',
    'x-ca-signature': createHmac('sha256', secret).update(text).digest('base64'),
  }
}
