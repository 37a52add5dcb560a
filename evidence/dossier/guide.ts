/**
 * VERIFY.md: how to verify this very dossier with tools that are not ours. Each fenced block is a
 * program for `bash -eu` in the folder of the dossier; CI runs them as they are printed. Portable. @module
 */
import { ED25519, parseVerifier } from '../log/note.ts'
import { parseToken, tokenOfResponse } from '../timestamp/token.ts'
import { isSigner } from '../timestamp/verify.ts'
import { parseCertificate } from '../x509-profile.ts'
import { tryRecord } from './catalogue.ts'
import { isRoot, sealDigest } from './certificates.ts'
import * as python from './guide-python.ts'
import { isNamedBy, listedSecond } from './guide-lists.ts'
import { hexDigest, listName, type Parts, type Token, tokenName } from './parts.ts'

/** Writes VERIFY.md. */
export function makeGuide(parts: Parts): string {
  const sections = [
    section('文件完整性', 'Files', 'coreutils', FILES),
    section('记录签名', 'Signatures over the records', 'python3-jwcrypto', python.SIGNATURES),
    section('证书', 'Certificates', 'openssl', certificates(parts)),
    section('日志包含证明', 'Places in the log', 'python3', python.INCLUSION),
    section(
      '日志检查点签名',
      'Signatures over the checkpoints',
      'openssl, xxd',
      checkpoints(parts),
    ),
    ...optional(parts.consistency, () =>
      section('日志一致性证明', 'The log only grew', 'python3', python.CONSISTENCY),
    ),
    ...optional(parts.timestamps, () =>
      section('时间戳', 'Time stamps', 'openssl', timestamps(parts)),
    ),
    ...optional(parts.disclosures, () =>
      section('披露的字段', 'Opened values', 'python3', python.DISCLOSURES),
    ),
    ...optional(parts.policies, () => section('策略文件', 'Policies', 'coreutils', POLICIES)),
    section('记录次序', 'Order of the records', 'python3', python.ORDER),
  ]
  return `${HEAD}${sections.join('')}${parts.renewals.length === 0 ? '' : RENEWALS}`
}

const HEAD = `# 核验本卷宗 · Verify this dossier

以下命令只使用第三方工具。解压到一个空文件夹，在该文件夹中逐段以 \`bash -eu\` 运行；任何一段以非零状态结束，即表示不通过。

The commands below use tools that are not ours. Unpack the dossier into an empty folder and give each block to
\`bash -eu\` there; a block that ends with another status than 0 has found something wrong. Debian has all the tools:
\`apt-get install openssl xxd python3-jwcrypto\`.

根证书和日志公钥是信任的起点：请从卷宗以外的途径取得其指纹，与下列命令打印的指纹比对。

Roots and log keys are where trust begins. Those in here come with the evidence: compare what these lines print with
what you were given by another way.

\`\`\`sh
sha256sum keys/*.vkey
for c in certificates/*.pem; do
  if test "$(openssl x509 -in "$c" -noout -subject_hash)" = "$(openssl x509 -in "$c" -noout -issuer_hash)"
  then openssl x509 -in "$c" -noout -subject -fingerprint -sha256; fi
done
\`\`\`
`

const RENEWALS = `
## 时间戳续期 · Renewed time stamps

\`renewals/*/*.ers\` are RFC 4998 evidence records over the checkpoint of the same name. No tool of Debian checks them from
the shell; the class \`ERSEvidenceRecord\` of BouncyCastle does (package \`libbcpkix-java\`).
`

const FILES = `sha256sum --check --strict --quiet SHA256SUMS
test "$(find . -type f ! -name SHA256SUMS | wc -l)" = "$(wc -l < SHA256SUMS)"`

const POLICIES = `for p in policies/*.yaml; do
  test "$(sha256sum < "$p" | cut -c 1-64)" = "$(basename "$p" .yaml)"
done`

function section(zh: string, en: string, tools: string, block: string): string {
  return `\n## ${zh} · ${en}\n\n${tools}\n\n\`\`\`sh\n${block}\n\`\`\`\n`
}

function optional(parts: readonly unknown[], make: () => string): string[] {
  return parts.length === 0 ? [] : [make()]
}

/** Each seal certificate at the time of the last record that it sealed. */
function certificates({ certificates: all, records, revocation }: Parts): string {
  const seals = new Map<string, number>()
  for (const { text } of records) {
    const header = tryRecord(text)?.header
    if (header === undefined) continue
    const digest = sealDigest(header)
    seals.set(digest, Math.max(header.iat, seals.get(digest) ?? 0))
  }
  const authorities = all.filter((der) => !seals.has(hexDigest(der)))
  const [roots, issuing] = [true, false].map((wanted) =>
    authorities.filter((der) => isRoot(der) === wanted).map((der) => pemName(der)),
  )
  return [
    'T=$(mktemp -d)',
    'for c in certificates/*.pem; do',
    '  test "$(openssl x509 -in "$c" -outform der | sha256sum | cut -c 1-64)" = "$(basename "$c" .pem)"',
    'done',
    `cat ${(roots ?? []).join(' ')} > "$T/roots.pem"`,
    `cat ${['/dev/null', ...(issuing ?? [])].join(' ')} > "$T/issuing.pem"`,
    'cat "$T/roots.pem" "$T/issuing.pem" > "$T/authorities.pem"',
    ...[...seals]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([digest, iat]) =>
          `openssl verify -attime ${iat} -CAfile "$T/roots.pem" -untrusted "$T/issuing.pem" certificates/${digest}.pem`,
      ),
    ...listed([...seals], all, revocation),
    ...revocation
      .filter((der) => isNamedBy(der, authorities))
      .map(
        (der) =>
          `openssl crl -in ${listName(der)} -CAfile "$T/authorities.pem" -noout -verify 2>&1 | grep -x "verify OK"`,
      ),
  ].join('\n')
}

/** Each seal certificate again, with its revocation lists, where openssl can. */
function listed(
  seals: readonly (readonly [string, number])[],
  all: readonly Uint8Array[],
  lists: readonly Uint8Array[],
): string[] {
  const lines = seals.flatMap(([digest, iat]) => {
    const leaf = all.find((der) => hexDigest(der) === digest) ?? new Uint8Array()
    const at = listedSecond(leaf, all, lists, iat)
    return at === undefined
      ? []
      : [
          `openssl verify -crl_check_all -CRLfile "$T/lists.pem" -attime ${at} \\`,
          `  -CAfile "$T/roots.pem" -untrusted "$T/issuing.pem" certificates/${digest}.pem`,
        ]
  })
  return lines.length === 0
    ? []
    : [`cat ${lists.map(listName).join(' ')} > "$T/lists.pem"`, ...lines]
}

function pemName(der: Uint8Array): string {
  return `certificates/${hexDigest(der)}.pem`
}

/**
 * The Ed25519 line of the log: its name, and 4 + 64 bytes, which are 92 characters.
 * INVARIANT: a name holds nothing that a shell could take for its own, see parts.ts.
 */
function checkpoints({ keys }: Parts): string {
  const ids = keys.map(parseVerifier).filter(({ type }) => type === ED25519)
  return [
    'T=$(mktemp -d)',
    ...ids.flatMap(({ id, name }) => [
      `(printf 302a300506032b6570032100 | xxd -r -p; cut -d+ -f3- keys/${id}.vkey | base64 -d | tail -c 32) |`,
      `  openssl pkey -pubin -inform DER -out "$T/${id}.pem"`,
      `for c in $(grep -lxF -e '${name}' checkpoints/*.note); do`,
      '  head -n 3 "$c" > "$T/text"',
      `  awk '$2 == "${name}" && length($3) == 92 { print $3; exit }' "$c" | base64 -d | tail -c 64 > "$T/signature"`,
      `  openssl pkeyutl -verify -pubin -inkey "$T/${id}.pem" -rawin -in "$T/text" -sigfile "$T/signature"`,
      'done',
    ]),
  ].join('\n')
}

function timestamps({ timestamps: tokens, roots, revocation }: Parts): string {
  const files = roots.map((der) => `timestamp-roots/${hexDigest(der)}.pem`)
  return [
    'T=$(mktemp -d)',
    `cat ${['/dev/null', ...files].join(' ')} > "$T/roots.pem"`,
    `cat ${['"$T/roots.pem"', ...revocation.map(listName)].join(' ')} > "$T/lists.pem"`,
    ...tokens.map((token) => {
      const data = `checkpoints/${token.checkpoint}.note`
      const name = tokenName('timestamps', token)
      return `openssl ts -verify ${timeOf(token, roots, revocation)}-data ${data} -in ${name} -CAfile "$T/lists.pem"`
    }),
    ...revocation
      .filter((der) => isNamedBy(der, roots))
      .map(
        (der) =>
          `openssl crl -in ${listName(der)} -CAfile "$T/roots.pem" -noout -verify 2>&1 | grep -x "verify OK"`,
      ),
  ].join('\n')
}

/**
 * By the token's own time: the authority's certificate may have ended since. With the revocation
 * lists of its path where openssl can: it reads them from the file of the roots.
 */
function timeOf(
  { bytes }: Token,
  roots: readonly Uint8Array[],
  lists: readonly Uint8Array[],
): string {
  try {
    const { info, signer, certificates: pool } = parseToken(tokenOfResponse(bytes))
    const second = Math.floor(info.time.getTime() / 1000)
    const leaf = pool.find((der) => isSigner(signer, parseCertificate(der))) ?? new Uint8Array()
    const at = listedSecond(leaf, [...pool, ...roots], lists, second)
    return `${at === undefined ? '' : '-crl_check_all '}-attime ${at ?? second} `
  } catch {
    return '' // No time stamp: the line fails.
  }
}
