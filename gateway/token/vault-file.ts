/** The vault's store in node:sqlite: one file, or memory. @module */
import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../base/problem.ts'
import { VAULT_ROWS_MAX, VAULT_SWEEP_ROWS } from './limits.ts'
import type { VaultRow, VaultStore } from './vault.ts'

/** A store that can be closed. */
export interface OpenVaultStore extends VaultStore {
  close(): void
}

/**
 * Opens a store; each `put` also sweeps some expired rows, so the file does not grow with dead ones.
 *
 * @param path a file, made with mode 0600, or `:memory:`.
 * @param rowsMax live and expired rows together; beyond, `put` fails.
 */
export function openVaultStore(path: string, rowsMax: number = VAULT_ROWS_MAX): OpenVaultStore {
  if (path !== ':memory:') {
    closeSync(openSync(path, 'a', 0o600)) // SQLite would make it readable by all; its WAL takes this mode.
    chmodSync(path, 0o600)
  }
  const database = new DatabaseSync(path)
  // FULL: a token that went out must be known after a power cut. Deleted values are overwritten.
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS vault (
      id TEXT PRIMARY KEY, sealed BLOB NOT NULL, expires INTEGER NOT NULL, once INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS vault_expires ON vault (expires);
  `)
  const insert = database.prepare('INSERT INTO vault VALUES (?, ?, ?, ?)')
  const select = database.prepare(
    'SELECT sealed, expires, once FROM vault WHERE id = ? AND expires > ?',
  )
  const remove = database.prepare('DELETE FROM vault WHERE id = ?')
  const sweep = database.prepare(
    'DELETE FROM vault WHERE id IN (SELECT id FROM vault WHERE expires <= ? LIMIT ?)',
  )
  let rows = Number(database.prepare('SELECT count(*) AS rows FROM vault').get()?.['rows'] ?? 0)
  return {
    async put({ id, sealed, expiresMs, once }: VaultRow, nowMs: number) {
      rows -= Number(sweep.run(nowMs, VAULT_SWEEP_ROWS).changes)
      if (rows >= rowsMax) throw new Problem('overloaded', `the vault holds ${rowsMax} tokens`)
      insert.run(id, sealed, expiresMs, Number(once))
      rows++
    },
    async get(id, nowMs) {
      const row = select.get(id, nowMs)
      if (row === undefined) return undefined
      const { sealed, expires, once } = row
      if (!(sealed instanceof Uint8Array)) return undefined
      return { id, sealed, expiresMs: Number(expires), once: once === 1 }
    },
    async remove(id) {
      const removed = Number(remove.run(id).changes)
      rows -= removed
      return removed === 1
    },
    close: () => database.close(),
  }
}
