/** The limits of this folder. Nesting and members are limited by the JSON scanner. @module */

/** Longest body that is rewritten as one piece. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024
/** States of one direction's automaton; wildcards behind descendants multiply them. */
export const STATES_MAX = 4096
/** A `later` may answer `later` again this many times. */
export const LATER_MAX = 4
/** What a stream holds back: one value, or a container that is dropped, captured or undecided. */
export const HELD_BYTES_MAX = 1024 * 1024
/** Below this, a value that is cut off is read again with each chunk; above, when twice as much is there. */
export const REREAD_BYTES_MAX = 4096
/** Parts of a multipart body, whose names are held; and the header fields of one. */
export const PARTS_MAX = 1000
/** See PARTS_MAX. */
export const PART_HEAD_BYTES_MAX = 4096
/** Different names of elements in one element of XML: they are held while it is open. */
export const CHILD_NAMES_MAX = 10_000
