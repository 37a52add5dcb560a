/** A bounded memory of results: when it is full it starts anew. @module */

/** Keeps a value under a key, in at most `max` entries. */
export function remember<Value>(
  memory: Map<string, Value>,
  max: number,
  key: string,
  value: Value,
): Value {
  if (!memory.has(key) && memory.size >= max) memory.clear()
  memory.set(key, value)
  return value
}
