/** Calls the admin API of a running gateway. @module */
import { Problem } from '../base/problem.ts'
import { openAdminSecret } from '../gateway/admin-secret.ts'
import type { Config } from '../gateway/config.ts'
import { fail } from './config.ts'

const CALL_TIMEOUT_MS = 30_000

/** Where the admin listener is called, when not where the configuration says. */
export const ADMIN_OPTION = ['--admin <url>', 'address of the admin listener'] as const

/** Where the admin listener is called. @param url overrides the configuration. */
export function adminUrl({ admin }: Config, url?: string): string {
  const scheme = admin.tls === undefined ? 'http' : 'https'
  const host = admin.host.includes(':') ? `[${admin.host}]` : admin.host
  return url ?? `${scheme}://${host}:${admin.port}`
}

/**
 * Sends one call and gives the answer's members; prints a refusal as one line and ends the process.
 *
 * @param path below `/api/`.
 */
export async function callAdmin(
  config: Config,
  path: string,
  body: object,
  url?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await call(config, path, body, url, AbortSignal.timeout(CALL_TIMEOUT_MS))
  return (await response.json()) as Record<string, unknown>
}

/** The same for an answer that is not JSON, as it comes. */
export async function streamAdmin(
  config: Config,
  path: string,
  body: object,
  url?: string,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await call(config, path, body, url)
  return response.body ?? fail('the gateway answered nothing')
}

async function call(
  config: Config,
  path: string,
  body: object,
  url: string | undefined,
  signal?: AbortSignal,
): Promise<Response> {
  const base = adminUrl(config, url)
  const response = await fetch(new URL(`/api/${path}`, base), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${openAdminSecret(config.data)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    redirect: 'error', // The secret goes to the configured address only.
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    throw new Problem('internal', `no gateway answers at ${base}; is \`serve\` running?`, { cause })
  })
  if (response.ok) return response
  const answer = (await response.json()) as Record<string, unknown>
  return fail(`${String(answer['type'])}: ${String(answer['detail'] ?? answer['title'])}`)
}
