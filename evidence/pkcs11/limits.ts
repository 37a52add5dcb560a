/** Every limit of the PKCS#11 signer, in one table. @module */

/** Slots of one module. */
export const SLOTS_MAX = 64
/** Objects of one search: two keys of one label are one too many. */
export const OBJECTS_MAX = 2
/** Bytes of a PIN file. */
export const PIN_BYTES_MAX = 256
/** Bytes of an attribute that is read: a P-256 point has 67. */
export const ATTRIBUTE_BYTES_MAX = 128
