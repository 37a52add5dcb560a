/** The places that resumable uploads take: how many there are, how much is in them, and how long each lasts. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { RelayLimits } from '../http/limits.ts'
import { inconsistent } from './fields.ts'
import type { Upload } from './upload.ts'

/** All places. */
export interface UploadTable {
  /** Whether there is one for this party. */
  hasRoom(party: string): boolean
  /** @param done is told when the place is given back. */
  take(upload: Upload, done: () => void): void
  get(id: string): Upload | undefined
  all(): readonly Upload[]
  /** Gives its place back. @returns false when it had none. */
  leave(upload: Upload): boolean
  /** @throws {Problem} when this upload may not have so many more bytes. */
  room(upload: Upload, bytes: number): void
  /** Begins the time anew that it may lie idle. */
  touch(upload: Upload): void
  /** Ms that it stays, if nothing else happens. */
  leftMs(upload: Upload): number
  /** It stays while it is relayed. */
  keep(upload: Upload): void
  /** Its time runs again. */
  release(upload: Upload): void
}

interface Place {
  readonly upload: Upload
  readonly diesNs: bigint
  readonly done: () => void
  idleNs: bigint
  timer: NodeJS.Timeout | undefined
}

/** What it is made of. */
export interface TablePorts {
  readonly clock: Clock
  readonly limits: RelayLimits
  /** Told of each whose time is over. */
  readonly expire: (upload: Upload) => void
}

/** Makes one with nobody in it. */
export function createUploadTable({ clock, limits, expire }: TablePorts): UploadTable {
  const places = new Map<string, Place>()
  const after = (ms: number) => clock.monotonicNs() + BigInt(ms) * 1_000_000n
  const all = () => [...places.values()].map(({ upload }) => upload)
  const of = (party: string) => all().filter(({ begun }) => begun.caller.party.id === party)
  const leftMs = ({ diesNs, idleNs }: Place) =>
    Math.max(0, Number((diesNs < idleNs ? diesNs : idleNs) - clock.monotonicNs()) / 1e6)

  /** Looks again when it would be due by now. */
  function arm(place: Place): void {
    place.timer = setTimeout(() => {
      if (leftMs(place) > 0) arm(place)
      else expire(place.upload)
    }, leftMs(place)).unref()
  }

  const touch = ({ id }: Upload): Place | undefined => {
    const place = places.get(id)
    if (place !== undefined) place.idleNs = after(limits.UPLOAD_IDLE_MS)
    return place
  }

  return {
    all,
    touch,
    hasRoom: (party) =>
      places.size < limits.UPLOADS_MAX && of(party).length < limits.UPLOADS_PARTY_MAX,
    take: (upload, done) => {
      const [diesNs, idleNs] = [after(limits.UPLOAD_AGE_MS), after(limits.UPLOAD_IDLE_MS)]
      const place = { upload, diesNs, idleNs, done, timer: undefined }
      places.set(upload.id, place)
      arm(place)
    },
    get: (id) => places.get(id)?.upload,
    leave: ({ id }) => {
      const place = places.get(id)
      if (place === undefined) return false
      places.delete(id)
      clearTimeout(place.timer)
      place.done()
      return true
    },
    room: (upload, bytes) => {
      const size = upload.offset() + bytes
      if (size > (upload.length ?? size)) throw inconsistent('more came than `upload-length` said')
      if (size > upload.sizeMax) throw tooLarge(upload.sizeMax)
      const room = limits.UPLOADS_BYTES_MAX - sum(all())
      const mine = limits.UPLOADS_PARTY_BYTES_MAX - sum(of(upload.begun.caller.party.id))
      if (bytes <= Math.min(room, mine)) return
      throw new Problem('overloaded', 'the uploads under way take all space allowed')
    },
    leftMs: ({ id }) => {
      const place = places.get(id)
      return place === undefined ? 0 : leftMs(place)
    },
    keep: ({ id }) => clearTimeout(places.get(id)?.timer),
    release: (upload) => {
      const place = touch(upload)
      if (place !== undefined) arm(place)
    },
  }
}

function sum(uploads: readonly Upload[]): number {
  return uploads.reduce((bytes, upload) => bytes + upload.offset(), 0)
}

/** Says that a body is beyond the limit. */
export function tooLarge(sizeMax: number): Problem {
  return new Problem('body-too-large', `expected at most ${sizeMax} bytes`)
}
