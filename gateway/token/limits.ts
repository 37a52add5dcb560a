/** Limits of keys and tokens. @module */

/** A token's text; longer texts are not looked at. 4,096 bytes of value make about 7,100 letters. */
export const TOKEN_CHARACTERS_MAX = 8192
/** UTF-8 bytes of a value that becomes a token. */
export const TOKEN_VALUE_BYTES_MAX = 4096
/** Master key versions in one ring, retired ones included. */
export const KEY_VERSIONS_MAX = 1000
/** Bytes of a key ring file. */
export const KEY_RING_BYTES_MAX = 1_000_000
/** Smallest domain of format-preserving encryption (SP 800-38G rev. 1, draft 2). */
export const FF1_DOMAIN_MIN = 1_000_000n
/** Rows of a vault store. */
export const VAULT_ROWS_MAX = 10_000_000
/** Expired rows that each new one sweeps away. */
export const VAULT_SWEEP_ROWS = 20
