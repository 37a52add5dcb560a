/** What people write instead: express and http-proxy-middleware, keep-alive agent, bytes untouched. @module */
import { Agent } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'

const [target = ''] = process.argv.slice(2)
const app = express()
app.use(
  createProxyMiddleware({
    target,
    agent: new Agent({ keepAlive: true, maxSockets: 256 }),
    pathRewrite: { '^/harbour-bank': '' },
  }),
)
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`ready ${port}\n`)
})
