/** Environment variables over sealgate.yaml: `SEALGATE_RELAY_LISTEN` stands for `relay.listen`. @module */
import { type Report, suggest } from '../base/diagnostic.ts'
import { parseYaml, type YamlMap, type YamlNode } from '../base/yaml.ts'

const PREFIX = 'SEALGATE_'
/** Reserved for what test runs tell each other. */
const IGNORED = 'SEALGATE_TEST_'

/** Every setting that a variable can name. Lists and maps are written as YAML: `[ embedded ]`. */
const SETTINGS: readonly (readonly string[])[] = [
  ...['relay', 'admin'].flatMap((section) => [
    [section, 'listen'],
    ...['cert', 'key', 'clientCa'].map((name) => [section, 'tls', name]),
  ]),
  ...['name', 'role', 'licence', 'validUntil'].map((name) => ['operator', name]),
  ...['module', 'token', 'pin', 'label'].map((name) => ['seal', 'pkcs11', name]),
  ['custody', 'custodian'],
  ...['policy', 'interval'].map((name) => ['witnesses', name]),
  ...['data', 'policies', 'queue', 'index', 'log', 'origin', 'gm', 'timestamp', 'parties'].map(
    (name) => [name],
  ),
]

/** The document with the variables' values in place; a variable that names no setting is an error. */
export function overrideFrom(
  environment: Readonly<Record<string, string | undefined>>,
  root: YamlNode,
  report: Report,
): YamlNode {
  const byVariable = new Map(
    SETTINGS.map((path) => [PREFIX + path.join('_').toUpperCase(), path] as const),
  )
  let result = root
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(PREFIX) || variable.startsWith(IGNORED)) continue
    const file = `environment variable ${variable}`
    const path = byVariable.get(variable)
    if (path === undefined) {
      const help = suggest(variable, byVariable.keys())
      report.error({ file, line: 1, column: 1 }, 'no setting has this name', help)
      continue
    }
    const value = parseYaml(report, file, text)
    if (value !== undefined) result = replaceAt(result, path, value)
  }
  return result
}

function replaceAt(node: YamlNode, path: readonly string[], value: YamlNode): YamlNode {
  const [name, ...rest] = path
  if (name === undefined) return value
  const map: YamlMap =
    node.node === 'map' ? node : { node: 'map', at: value.at, entries: new Map() }
  const entry = map.entries.get(name) ?? {
    key: { node: 'scalar', at: value.at, value: name, text: name, isQuoted: false },
    value,
  }
  const replaced = { key: entry.key, value: replaceAt(entry.value, rest, value) }
  return { ...map, entries: new Map([...map.entries, [name, replaced]]) }
}
