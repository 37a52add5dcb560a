/** Bounds of files that cross by folders, in one table. @module */

/** Bytes of one file. */
export const FILE_BYTES_MAX = 64 * 1024 ** 3
/** Bytes that are read at once. */
export const READ_BYTES = 65_536
/** Bytes that are written at once: what leaves the passage comes in pieces of a few kilobytes. */
export const WRITE_BYTES = 262_144
/** Bytes of buffers, garbage for the most part, beyond which all memory is swept. */
export const BUFFERS_BYTES = 25_165_824
/** Bytes of a companion: a digest and a name. */
export const COMPANION_BYTES_MAX = 1024
/** Characters of a file's name. */
export const NAME_CHARACTERS_MAX = 200
/** Milliseconds between two looks at a folder. */
export const LOOK_MS = 1000
/** Milliseconds of rest after something that a file is not to blame for. */
export const REST_MS = 5000
/** Milliseconds between two lines of progress. */
export const PROGRESS_MS = 250
/** Records that are handed to the gateway at once. */
export const HAND_OVER_RECORDS_MAX = 64
/** Characters of them. */
export const HAND_OVER_CHARACTERS_MAX = 200_000
/** Milliseconds between two signs of life of a desk. */
export const STATUS_MS = 2000
/** A desk that gave none for so long is lost. */
export const LOST_MS = 15_000
