/** The operator's listener: health, readiness with reasons, metrics, the admin API. @module */
import express from 'express'
import type { Metrics } from './metrics.ts'

/** @param unready why the gateway cannot take requests now; empty when it can. */
export function createAdminApp(
  metrics: Metrics,
  unready: () => readonly string[],
  api: express.Router,
): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  app.get('/readyz', (_request, response) => {
    const reasons = unready()
    response.status(reasons.length === 0 ? 200 : 503)
    response.json({ status: reasons.length === 0 ? 'ready' : 'not ready', reasons })
  })
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType)
    response.send(await metrics.registry.metrics())
  })
  app.use('/api', api)
  return app
}
