/** Where custody keeps ciphertext: files per record and direction, in a folder per last day. @module */
import { createReadStream, promises } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { UUID } from '../../base/uuid.ts'
import { syncFolder } from '../durable.ts'

/** A direction of an exchange. */
export type Side = 'request' | 'response'
/** What is kept of one: secret and claims, or a body that is too long for a claim. */
export type Part = Side | `${Side}.body`

/** A stored ciphertext. */
export interface Stored {
  readonly rid: string
  readonly part: Part
  /** Last day of its retention, `YYYY-MM-DD`. */
  readonly until: string
}

/** Ciphertexts and holds. Each promise resolves when durable. */
export interface CustodyStore {
  put(item: Stored, text: string): Promise<void>
  get(item: Stored): Promise<string>
  /** Starts a ciphertext that is written in parts. */
  create(item: Stored): Promise<StoredFile>
  read(item: Stored): AsyncIterable<Buffer>
  remove(item: Stored): Promise<void>
  /** All of one record. */
  find(rid: string): Promise<Stored[]>
  /** All whose retention ended before a day. */
  endedBefore(day: string): Promise<Stored[]>
  setHold(rid: string): Promise<void>
  releaseHold(rid: string): Promise<void>
  held(rid: string): Promise<boolean>
}

/** A ciphertext under way. */
export interface StoredFile {
  append(bytes: Uint8Array): Promise<void>
  /** Resolves when all so far is durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/
const FILE = /^(.{36})\.(?:(request|response)\.jwe|((?:request|response)\.body))$/

/** A store in a folder, made (0700) when absent. */
export function folderStore(folder: string): CustodyStore {
  const holds = join(folder, 'holds')
  const path = ({ rid, part, until }: Stored) =>
    join(
      folder,
      checked(until, DAY),
      `${checked(rid, UUID)}.${isBody(part) ? part : `${part}.jwe`}`,
    )
  const hold = (rid: string) => join(holds, checked(rid, UUID))
  const days = async () => (await listOrNone(folder)).filter((name) => DAY.test(name)).sort()
  const inDay = async (until: string) =>
    (await listOrNone(join(folder, until))).flatMap((name) => readName(name, until))
  return {
    put: (item, text) => writeDurably(path(item), text),
    get: (item) => promises.readFile(path(item), 'utf8'),
    create: (item) => createDurably(path(item)),
    read: (item) => createReadStream(path(item)) as AsyncIterable<Buffer>,
    remove: (item) => removeDurably(path(item)),
    find: async (rid) => {
      const found = await Promise.all((await days()).map(inDay))
      return found.flat().filter((item) => item.rid === rid)
    },
    endedBefore: async (day) => {
      const ended = (await days()).filter((until) => until < day)
      return (await Promise.all(ended.map(inDay))).flat()
    },
    setHold: (rid) => writeDurably(hold(rid), ''),
    releaseHold: (rid) => removeDurably(hold(rid)),
    held: async (rid) => (await listOrNone(holds)).includes(rid),
  }
}

function readName(name: string, until: string): Stored[] {
  const [, rid, side, body] = FILE.exec(name) ?? []
  const part = side ?? body
  return rid === undefined || part === undefined ? [] : [{ rid, part: part as Part, until }]
}

/** Whether a part is a body, and not the claims that stand beside it. */
export function isBody(part: Part): boolean {
  return part.endsWith('.body')
}

/** Names become paths: nothing but a record id or a day may pass. */
function checked(text: string, form: RegExp): string {
  if (!form.test(text)) throw new Problem('internal', 'not a record id or a day')
  return text
}

async function listOrNone(folder: string): Promise<string[]> {
  try {
    return await promises.readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const folder = join(path, '..')
  await promises.mkdir(folder, { recursive: true, mode: 0o700 })
  await promises.writeFile(path, text, { mode: 0o600, flush: true })
  await syncFolder(folder)
  await syncFolder(join(folder, '..'))
}

async function createDurably(path: string): Promise<StoredFile> {
  const folder = join(path, '..')
  await promises.mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await promises.open(path, 'wx', 0o600)
  await syncFolder(folder)
  await syncFolder(join(folder, '..'))
  return {
    append: (bytes) => file.appendFile(bytes),
    sync: () => file.datasync(),
    close: () => file.close(),
  }
}

async function removeDurably(path: string): Promise<void> {
  await promises.rm(path, { force: true })
  await syncFolder(join(path, '..'))
}
