/** What the verifier page says, in both languages. @module */
import type { DossierCheckName } from '../../dossier/findings.ts'

/** The languages of the page. */
export type Language = 'zh' | 'en'

type Words = Readonly<Record<string, { readonly zh: string; readonly en: string }>>

/** Texts of the page itself. */
// prettier-ignore
export const WORDS = {
  title:        { zh: '证据卷宗核验', en: 'Verify a dossier' },
  subtitle:     { zh: '在您的浏览器内逐项核验，不上传任何内容。', en: 'Every check runs in your browser. Nothing is sent anywhere.' },
  other:        { zh: 'English', en: '中文' },
  dropDossier:  { zh: '1. 放入卷宗', en: '1. Drop the dossier' },
  dropHint:     { zh: '.zip 卷宗，或单条记录的 .json', en: 'a .zip dossier, or one record as .json' },
  dropTrust:    { zh: '2. 放入信任文件', en: '2. Drop your trust file' },
  trustHint:    { zh: 'trust.json：须从卷宗以外的途径取得', en: 'trust.json, which must reach you by another way than the dossier' },
  offline:      { zh: '本页面是一个自足的文件，内容安全策略禁止其访问网络；断网后同样可用。', en: 'This page is one file; its content security policy lets it reach no network. It works with the cable pulled.' },
  scope:        { zh: '核验只说明这些字节由谁、何时封存，是否完整；不是《数字签名验证意见书》，后者由依法设立的电子认证服务机构出具。', en: 'A verification says who sealed these bytes, when, and whether they are whole. It is no opinion of a licensed certification authority.' },
  working:      { zh: '正在核验…', en: 'Verifying…' },
  insecure:     { zh: '浏览器在此地址不提供 WebCrypto：请将本页面保存为文件后打开，或使用 https。', en: 'The browser offers no WebCrypto at this address: save this page and open the file, or use https.' },
  valid:        { zh: '核验通过', en: 'Valid' },
  'not-anchored': { zh: '自洽，但未锚定', en: 'Consistent, but not anchored' },
  invalid:      { zh: '核验不通过', en: 'Not valid' },
  unusable:     { zh: '无法核验', en: 'Unusable' },
  validMore:    { zh: '所有检查均通过，且以您提供的信任文件为依据。', en: 'Every check passed, by the trust file that you gave.' },
  'not-anchoredMore': { zh: '所有检查均通过，但依据的是卷宗自带的密钥，任何人都能做到。请放入从其他途径取得的信任文件。', en: 'Every check passed, but by keys that came with the file itself, and anybody could make that true. Drop the trust file that you have from elsewhere.' },
  invalidMore:  { zh: '至少一项检查不通过，见下。', en: 'At least one check failed; see below.' },
  unusableMore: { zh: '这不是一个可读的卷宗或记录。', en: 'This is no dossier and no record that can be read.' },
  development:  { zh: '含开发用证书：非依法设立的电子认证服务提供者签发。', en: 'A development authority stands in the certificate path: 非依法设立的电子认证服务提供者签发.' },
  whole:        { zh: '整个卷宗', en: 'The dossier as a whole' },
  record:       { zh: '记录', en: 'Record' },
  records:      { zh: '条记录', en: 'records' },
  checks:       { zh: '项检查', en: 'checks' },
  failed:       { zh: '项不通过', en: 'failed' },
  opened:       { zh: '披露的内容', en: 'Opened values' },
  digest:       { zh: '文件 SHA-256', en: 'SHA-256 of the file' },
  fileTooLarge: { zh: '文件过大', en: 'The file is too large' },
} as const satisfies Words

/** Names of checks. */
// prettier-ignore
export const CHECKS: Readonly<Record<DossierCheckName, { readonly zh: string; readonly en: string }>> = {
  container:      { zh: '卷宗容器', en: 'Container' },
  sums:           { zh: '文件摘要', en: 'Sums' },
  files:          { zh: '文件格式', en: 'Files' },
  catalogue:      { zh: '证据目录', en: 'Catalogue' },
  'record-form':  { zh: '记录格式', en: 'Record form' },
  'payload-form': { zh: '内容格式', en: 'Payload form' },
  certificate:    { zh: '签名证书', en: 'Certificate' },
  signature:      { zh: '电子签名', en: 'Signature' },
  leaf:           { zh: '日志条目', en: 'Leaf' },
  inclusion:      { zh: '日志包含证明', en: 'Inclusion' },
  checkpoint:     { zh: '日志检查点', en: 'Checkpoint' },
  witnesses:      { zh: '见证签名', en: 'Witnesses' },
  timestamp:      { zh: '时间戳', en: 'Time stamp' },
  disclosure:     { zh: '字段披露', en: 'Disclosure' },
  row:            { zh: '明细行', en: 'Row' },
  erasure:        { zh: '依规删除', en: 'Erasure' },
  consistency:    { zh: '日志一致性', en: 'Consistency' },
  renewal:        { zh: '时间戳续期', en: 'Renewal' },
  revocation:     { zh: '证书吊销列表', en: 'Revocation' },
  policy:         { zh: '处理策略', en: 'Policy' },
  order:          { zh: '记录次序', en: 'Order' },
  coverage:       { zh: '检查覆盖', en: 'Coverage' },
}
