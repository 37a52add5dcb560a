/** The recipient of every benchmark: answers at once, and shows on request what it last received. @module */
import { createServer } from 'node:http'
import { answerJson, listenAndSay } from './listen.ts'
import { ANSWER } from '../loan.ts'

const answer = Buffer.from(ANSWER)
let last: Buffer = Buffer.alloc(0)

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.once('end', () => {
    const shows = request.url === '/last'
    if (!shows) last = Buffer.concat(chunks)
    const body = shows ? last : answer
    answerJson(response, body)
  })
})
listenAndSay(server)
