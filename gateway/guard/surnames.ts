/** Chinese surnames: single ones and compound ones. @module */

const SINGLE = [
  '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章',
  '云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常',
  '乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞',
  '熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍',
  '虞万支柯昝管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁',
  '荀羊於惠甄麴家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫',
  '宁仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙',
  '池乔阴鬱胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍郤璩桑桂濮牛寿通边扈燕冀郏浦尚农',
  '温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东',
  '欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红',
  '游竺权逯盖益桓公肖岳帅缑亢况郈有琴商佘佴伯赏墨哈谯笪年爱阳佟覃付代闫涂仝鹿苟户邸',
  '卿补原问邝褟揭展仉',
].join('')

const COMPOUND = [
  '欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊',
  '赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文',
  '司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正',
  '宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户',
  '公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘',
  '公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师 纳兰 叶赫 完颜 富察',
  '钮祜',
].flatMap((line) => line.split(' '))

/** By UTF-16 unit: whether it is a surname, or begins one of two characters. Most characters are neither. */
const ALONE = 1
const BEGINS = 2
const units = new Uint8Array(0x1_0000)
const compound = new Set(COMPOUND)
for (const unit of SINGLE) units[unit.charCodeAt(0)] = ALONE
for (const name of COMPOUND) {
  const first = name.charCodeAt(0)
  units[first] = (units[first] as number) | BEGINS
}

/** How many UTF-16 units of `text` at `at` are a surname: 2, 1 or 0. */
export function surnameLength(text: string, at = 0): 0 | 1 | 2 {
  // Behind the end and before the start nothing is found.
  const unit = units[text.charCodeAt(at)] ?? 0
  if ((unit & BEGINS) !== 0 && compound.has(text.slice(at, at + 2))) return 2
  return (unit & ALONE) !== 0 ? 1 : 0
}
