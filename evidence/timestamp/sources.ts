/** The time stamping authorities that the configuration names, with the trust in them. @module */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { readPem } from '../pem.ts'
import { type IdentityOptions, openTimestampIdentity } from '../x509-identity.ts'
import { createRevocationSource } from './revocation.ts'
import { embeddedSource, httpSource, type TimestampSource } from './client.ts'

/** Where keys and trust anchors lie. */
export interface SourcePlaces extends IdentityOptions {
  /** The key folder, where the embedded authority keeps its identity. */
  readonly keys: string
  /** Folder of PEM files: the roots of outside authorities, and revocation lists kept by hand. */
  readonly trust: string
}

/** One entry of `timestamp:`. */
export interface AuthorityEntry {
  /** `embedded`, or the URL of an authority. */
  readonly url: string
  /** Object identifier of the policy to ask for; any when absent. */
  readonly policy?: string
}

/**
 * Opens the entries of `timestamp:`.
 *
 * @throws {Problem} `key-unusable` when an outside authority has no trust anchor, or two share a name.
 */
export async function openTimestampSources(
  entries: readonly AuthorityEntry[],
  places: SourcePlaces,
): Promise<TimestampSource[]> {
  const roots = await readTrust(places.trust)
  const revocation = createRevocationSource(await readTrust(places.trust, 'X509 CRL'), places.clock)
  const sources = await Promise.all(
    entries.map(async ({ url, ...policy }) => {
      if (url === 'embedded') {
        return embeddedSource(await openTimestampIdentity(places.keys, places), places.clock)
      }
      if (roots.length > 0) return httpSource(url, { roots, revocation, ...policy })
      const help = `put the root certificate of ${url} there as a .pem file`
      throw new Problem('key-unusable', `${places.trust}: no trust anchor; ${help}`)
    }),
  )
  const names = sources.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new Problem('key-unusable', `two time stamping authorities are \`${twice}\``)
  return sources
}

/** Every certificate, or list, of every PEM file in a folder; none when there is no such folder. */
export async function readTrust(
  folder: string,
  label: 'CERTIFICATE' | 'X509 CRL' = 'CERTIFICATE',
): Promise<Uint8Array[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new Problem('key-unusable', `${folder}: cannot be read`, { cause: error })
  })
  const texts = names
    .filter((name) => name.endsWith('.pem'))
    .sort()
    .map((name) => readFile(join(folder, name), 'utf8'))
  return (await Promise.all(texts)).flatMap((text) => readPem(text, label))
}
