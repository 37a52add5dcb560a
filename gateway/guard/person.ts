/** Detector of persons' names: by the field's name, or in text after a word that announces one. @module */
import { eachMatch } from './matches.ts'
import { addHit, type Scan } from './scan.ts'
import { surnameLength } from './surnames.ts'

const NAME_LENGTH_MAX = 64
const HAN = /^[\p{Script=Han}〇]+$/u
/** `·` and its look-alikes, as people type them in names such as 阿卜杜拉·买买提. */
const DOT = '[·•‧・．.]'
const DOTTED = new RegExp(
  `^[\\p{Script=Han}〇]{1,12}(?:${DOT}[\\p{Script=Han}〇]{1,12}){1,3}$`,
  'u',
)
const LATIN = /^[A-Z][A-Za-z'’.-]{0,24}(?:[ ,]{1,2}[A-Z][A-Za-z'’.-]{0,24}){1,4}$/
/** Parts of the names of organisations, products and places, which share fields with persons' names. */
const ORGANISATION =
  /有限|公司|集团|银行|支行|分行|保险|科技|基金|证券|支付|担保|信托|商行|商城|合同|协议|产品|计划|套餐|服务|分期|金融|借款|贷款|平台|[贷卡券呗条宝]$/u

/** 客户张三: the shortest name that text announces. */
const ANNOUNCED_LENGTH_MIN = 4

/** Finds names of persons. */
export function findNames(scan: Scan): void {
  if (scan.field.kinds.has('name')) {
    const start = scan.text.length - scan.text.trimStart().length
    const value = scan.text.trim()
    const [base, why] = judgeWhole(value)
    if (base > 0) addHit(scan, 'name', start, start + value.length, base, why)
    if (base > 0) return
  }
  if (scan.text.length < ANNOUNCED_LENGTH_MIN) return
  eachMatch(scan.text, CUE, (cue) => findAfter(scan, cue.index + cue[0].length))
  eachMatch(scan.text, TITLE, (title) => findBefore(scan, title.index))
  eachMatch(scan.text, DOT_IN_TEXT, (dot) => findAround(scan, dot.index))
}

function judgeWhole(value: string): readonly [base: number, why: string] {
  if (value.length > NAME_LENGTH_MAX || value.includes('*')) return [0, '']
  const length = [...value].length
  if (DOTTED.test(value)) return [0.5, 'Han parts joined by dots']
  if (HAN.test(value)) {
    if (ORGANISATION.test(value)) return [0, '']
    // A child may carry both parents' surnames: 刘张梓涵.
    const surname =
      surnameLength(value) === 1 && length === 4
        ? surnameLength(value, 1) + 1
        : surnameLength(value)
    const given = length - surname
    if (surname > 0 && (given === 1 || given === 2)) return [0.55, 'surname and given name']
    return length >= 2 && length <= 4 ? [0.15, 'two to four Han characters'] : [0, '']
  }
  return LATIN.test(value) ? [0.3, 'capitalised Latin words'] : [0, '']
}

/** Words that announce a name, and what may stand between. */
const CUES = [
  '姓名|借款人|联系人|申请人|持卡人|担保人|保证人|被执行人|收款人|付款人|经办人|法定代表人|负责人|户名',
  '配偶|被告|原告|丈夫|妻子|父亲|母亲|我叫|本人|客户|用户|机主',
]
const CUE = new RegExp(`(?:${CUES.join('|')})(?:姓名|名字)?[:：为是叫 ]{0,3}`, 'gu')
const TITLE =
  /先生|女士|小姐|老师|[，,、 （(]{1,2}(?:身份证|证件号|手机|电话|联系电话|男[，,]|女[，,]|性别)/gu
const DOT_IN_TEXT = /(?<=\p{Script=Han})[·•‧・](?=\p{Script=Han})/gu
/** Second characters that make no given name: 应当, 和解, 于是 … */
const NOT_GIVEN = /^[的在已未可将须为是被与和及或等对向由从应当该时所需]/u
const NOT_NAME = new Set(
  [
    '应当 应于 应该 应在 应按 满意 和解 和其 于是 经办 经理 经营 相关 相应 全部 全额 时间 关于 关系 有权 有效',
    '明确 明细 成功 成立 成员 计划 计算 安全 安排 平台 平均 通过 通知 能够 能力 连续 连带 国籍 国家 文件 文化',
    '公司 公积 广告 广州 东莞 商户 方式 方便 常住 单位 管理 权利 权益 高级 原因 支付 支持 强制 任何 任意 印章',
    '代偿 代码 代扣 充值 终止 终审 空白 须知 向我 向银 都可 别名 后续 后台 农行 金额 华为 解除 项下 房产 车辆',
  ].flatMap((line) => line.split(' ')),
)

function findAfter(scan: Scan, at: number): void {
  const surname = surnameLength(scan.text, at)
  if (surname === 0 || NOT_NAME.has(scan.text.slice(at, at + 2))) return
  const given = givenName(scan.text, at + surname)
  if (given > 0)
    addHit(scan, 'name', at, at + surname + given, 0.4, 'announced surname and given name')
}

/** UTF-16 length of the given name at `at`: one or two Han characters, or 0. */
function givenName(text: string, at: number): number {
  let length = 0
  for (const character of text.slice(at, at + 4)) {
    if (length >= 2 || !HAN.test(character)) break
    if (NOT_GIVEN.test(character)) break
    length += character.length
  }
  return length
}

function findBefore(scan: Scan, end: number): void {
  for (const length of [4, 3, 2]) {
    const start = end - length
    const surname = surnameLength(scan.text, start)
    const given = length - surname
    if (start < 0 || surname === 0 || given < 1 || given > 2) continue
    if (!HAN.test(scan.text.slice(start, end)) || NOT_NAME.has(scan.text.slice(start, start + 2)))
      continue
    addHit(scan, 'name', start, end, 0.55, 'name before a title')
    return
  }
}

function findAround(scan: Scan, dot: number): void {
  const { text } = scan
  let start = dot
  let end = dot + 1
  while (dot - start < 12 && HAN.test(text.charAt(start - 1))) start--
  while (end - dot < 24 && /[\p{Script=Han}·•‧・]/u.test(text.charAt(end))) end++
  eachMatch(text.slice(start, dot), CUE, (cue) => {
    start += cue[0].length
  })
  if (dot - start >= 2 && end - dot >= 3)
    addHit(scan, 'name', start, end, 0.45, 'Han parts joined by a dot')
}
