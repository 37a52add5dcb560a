/** Limits of a dossier. @module */

/** Bytes of one dossier; it is held in memory twice. */
export const DOSSIER_BYTES_MAX = 256 * 1024 * 1024
/** Files in one dossier: below what makes a zip need its 64-bit form. */
export const DOSSIER_FILES_MAX = 60_000
/** Records in one dossier. */
export const DOSSIER_RECORDS_MAX = 10_000
/** Bytes of a name inside a dossier. */
export const NAME_BYTES_MAX = 160
/** Results that a verifier remembers: signatures of checkpoints, lists and tokens. */
export const REMEMBERED_MAX = 4096
