/** What people write instead: express and http-proxy-middleware, keep-alive agent, bytes untouched. @module */
import { Agent, createServer } from 'node:http'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { listenAndSay } from './listen.ts'

const [target = ''] = process.argv.slice(2)
const app = express()
app.use(
  createProxyMiddleware({
    target,
    agent: new Agent({ keepAlive: true, maxSockets: 256 }),
    pathRewrite: { '^/harbour-bank': '' },
  }),
)
listenAndSay(createServer(app))
