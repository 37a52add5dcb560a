/** The operator's listener: health, readiness with reasons, metrics, the admin API. @module */
import express from 'express'
import type { PolicyStatus } from '../oversight.ts'
import type { Metrics } from './metrics.ts'

/** What the operator may ask. */
export interface AdminState {
  /** Why the gateway cannot take requests now; empty when it can. */
  readonly unready: () => readonly string[]
  /** What should be looked at and stops nothing. */
  readonly warnings: () => readonly string[]
  readonly policies: () => readonly PolicyStatus[]
}

/** Builds the application; it answers with slugs, ids and counts. */
export function createAdminApp(
  metrics: Metrics,
  state: AdminState,
  api: express.Router,
): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  app.get('/readyz', (_request, response) => {
    const reasons = state.unready()
    response.status(reasons.length === 0 ? 200 : 503)
    const status = reasons.length === 0 ? 'ready' : 'not ready'
    response.json({ status, reasons, warnings: state.warnings() })
  })
  app.get('/api/policies', (_request, response) => {
    response.json({ policies: state.policies() })
  })
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType)
    response.send(await metrics.registry.metrics())
  })
  app.use('/api', api)
  return app
}
