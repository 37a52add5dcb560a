/**
 * What people write instead when they must rewrite: http-proxy-middleware as its documentation shows
 * (express.json, fixRequestBody, responseInterceptor), the same eight fields. @module
 */
import { createHmac } from 'node:crypto'
import { Agent, createServer } from 'node:http'
import express from 'express'
import { createProxyMiddleware, fixRequestBody, responseInterceptor } from 'http-proxy-middleware'
import { listenAndSay } from './listen.ts'

interface Loan {
  applicant: { name: string; idNumber: string; mobile: string; email?: string; address: string }
  card: string
  spouse: { name?: string; mobile: string }
}

const [target = ''] = process.argv.slice(2)
const KEY = 'a key of the benchmark'
const token = (value: string) => createHmac('sha256', KEY).update(value).digest('base64url')
const mask = (value: string, kept: number) => value.slice(0, kept) + '*'.repeat(value.length - kept)

function rewrite({ applicant, card, spouse, ...rest }: Loan): object {
  return {
    ...rest,
    applicant: {
      name: mask(applicant.name, 1),
      idNumber: token(applicant.idNumber),
      mobile: token(applicant.mobile),
      address: mask(applicant.address, 6),
    },
    card: token(card),
    spouse: { mobile: token(spouse.mobile) },
  }
}

const app = express()
app.use(express.json({ limit: '20mb' }), (request, _response, next) => {
  request.body = rewrite(request.body as Loan)
  next()
})
app.use(
  createProxyMiddleware({
    target,
    agent: new Agent({ keepAlive: true, maxSockets: 256 }),
    pathRewrite: { '^/harbour-bank': '' },
    selfHandleResponse: true,
    on: {
      proxyReq: fixRequestBody,
      proxyRes: responseInterceptor(async (body) => {
        const { status, applicationId, limit } = JSON.parse(body.toString('utf8')) as Record<
          string,
          unknown
        >
        return JSON.stringify({ status, applicationId, limit })
      }),
    },
  }),
)
listenAndSay(createServer(app))
