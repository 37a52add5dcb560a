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
  const base = adminUrl(config, url)
  const response = await fetch(new URL(`/api/${path}`, base), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${openAdminSecret(config.data)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    redirect: 'error', // The secret goes to the configured address only.
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new Problem('internal', `no gateway answers at ${base}; is \`serve\` running?`, { cause })
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (response.ok) return answer
  return fail(`${String(answer['type'])}: ${String(answer['detail'] ?? answer['title'])}`)
}
