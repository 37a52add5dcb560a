/** What the policy language and its tools bear. @module */

/** Longest path that is read, in code points. */
export const PATH_CHARACTERS_MAX = 1024
/** Largest version number. */
export const VERSION_MAX = 999_999
/** Most tests of one policy. */
export const TESTS_MAX = 1000
/** Most policy files of one folder, old versions included. */
export const POLICY_FILES_MAX = 10_000
/** Joint states beyond which two versions are not compared. */
export const JOINT_STATES_MAX = 20_000
/** Longest text that a test failure quotes, in characters. */
export const SHOWN_CHARACTERS_MAX = 40
/** Editors write a file in several steps; the folder is read once it has been quiet this long. */
export const RELOAD_QUIET_MS = 200
