/** What custody keeps of a long body is opened by programs that are not ours: jwcrypto and Python's cryptography. */
import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCustody } from '../../evidence/custody/custody.ts'
import { folderStore } from '../../evidence/custody/store.ts'
import { newRid } from '../evidence/support.ts'
import { describeForeign, makeFolder, runTool } from './tool.ts'

const UNTIL = '2031-11-24'

/** RFC 8188 §2, as evidence/README.md says how the secret comes about. */
const READER = `
import base64, hashlib, hmac, json, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwcrypto import jwe, jwk
token = jwe.JWE()
token.deserialize(open(sys.argv[1]).read(), jwk.JWK.from_json(open('custodian.json').read()))
secret = base64.urlsafe_b64decode(json.loads(token.payload)['secret'] + '=')
ikm = hmac.new(secret, b'original:request.body', hashlib.sha256).digest()
data = open(sys.argv[2], 'rb').read()
salt, size, name = data[:16], int.from_bytes(data[16:20], 'big'), data[20]
def derive(info, length):
    return HKDF(hashes.SHA256(), length, salt, b'Content-Encoding: ' + info + b'\\0').derive(ikm)
key, base = AESGCM(derive(b'aes128gcm', 16)), int.from_bytes(derive(b'nonce', 12), 'big')
data, text = data[21 + name:], b''
records = [data[at:at + size] for at in range(0, len(data), size)]
for count, record in enumerate(records):
    part = key.decrypt((base ^ count).to_bytes(12, 'big'), record, None).rstrip(b'\\0')
    assert part[-1] == (2 if count == len(records) - 1 else 1)
    text += part[:-1]
print(len(records), hashlib.sha256(text).hexdigest())
`

describeForeign(
  'python3-jwcrypto on custody',
  ['/usr/bin/python3', '-c', 'import jwcrypto, cryptography'],
  () => {
    it('opens a long original of several records', async () => {
      const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
      const folder = makeFolder({ 'read.py': READER })
      try {
        folder.put('custodian.json', JSON.stringify(await exportJWK(pair.privateKey)))
        const store = folderStore(folder.path)
        const custody = await createCustody(store, await exportJWK(pair.publicKey))
        const rid = newRid()
        const secret = custody.newSecret()
        await custody.deposit({ rid, part: 'request', until: UNTIL }, secret, [])
        const original = custody.keep({ rid, part: 'request.body', until: UNTIL }, secret)
        const body = Buffer.from('13800138000,王小明\n'.repeat(20_000))
        for (let at = 0; at < body.length; at += 50_000) await original.write(body.subarray(at, at + 50_000)) // prettier-ignore
        await original.finish()
        const names = ['request.jwe', 'request.body'].map((name) => join(UNTIL, `${rid}.${name}`))
        const { ok, text } = runTool('/usr/bin/python3', ['read.py', ...names], folder.path)
        expect(ok, text).to.equal(true)
        const digest = createHash('sha256').update(body).digest('hex')
        expect(text).to.equal(`${Math.ceil(body.length / (65_536 - 17))} ${digest}\n`)
        expect(readFileSync(join(folder.path, names[1] ?? '')).includes('王小明')).to.equal(false)
      } finally {
        folder.remove()
      }
    })
  },
)
