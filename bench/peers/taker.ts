/** A recipient of long bodies: takes all, keeps nothing but both ends, and shows them when asked. @module */
import { createServer } from 'node:http'
import { answerJson, listenAndSay } from './listen.ts'

const ENDS_BYTES = 400
let last = { bytes: 0, head: '', tail: '', trailer: '', whole: false }

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  let bytes = 0
  let head: Buffer = Buffer.alloc(0)
  let tail: Buffer = Buffer.alloc(0)
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (head.length < ENDS_BYTES) head = Buffer.concat([head, chunk]).subarray(0, ENDS_BYTES)
    tail = chunk.length >= ENDS_BYTES ? chunk : Buffer.concat([tail, chunk])
  })
  request.once('end', () => {
    if (request.method !== 'GET') {
      const text = (part: Buffer) => part.toString('latin1')
      const trailer = request.trailers['content-digest'] ?? ''
      tail = tail.subarray(-ENDS_BYTES)
      last = { bytes, head: text(head), tail: text(tail), trailer, whole: request.complete }
    }
    const body = Buffer.from(request.method === 'GET' ? JSON.stringify(last) : '{}')
    answerJson(response, body)
  })
})
listenAndSay(server)
