/** The JSON Schema of the policy language, for editors: completion and help in Chinese and English. Pure. @module */
import { CHARSETS, FORMAT_NAMES } from './body.ts'
import { LEGAL_BASES, METHODS } from './parse.ts'

/** JSON Schema, draft 2020-12, as data. */
export type Schema = { readonly [keyword: string]: unknown }

/** What the schema completes: names that depend on the installation. */
export interface SchemaNames {
  readonly transforms: Iterable<string>
  readonly kinds?: Iterable<string>
}

/** Builds the schema. An editor's check is a first look; `sealgate policy check` decides. */
export function policySchema({ transforms, kinds }: SchemaNames): Schema {
  const known = [...transforms].toSorted()
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Sealgate policy',
    ...object(
      '一条路由的策略：谁把哪些字段以何种形式交给谁。',
      'The policy of one route: who gives whom which fields, in which form.',
      FRAME,
    ),
    required: [
      'policy',
      'version',
      'title',
      'from',
      'to',
      'when',
      'purpose',
      'legal',
      'request',
      'tests',
    ],
    $defs: {
      name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' },
      path: text(
        'RFC 9535 JSONPath：字段名、下标、[*]、..',
        'RFC 9535 JSONPath: names, indexes, [*], ..',
        { pattern: '^\\$' },
      ),
      action: actionSchema(known, kinds === undefined ? undefined : [...kinds].toSorted()),
      rules: map('#/$defs/action', '名称 → 处理方式', 'Name → what is done'),
      direction: directionSchema(),
      test: testSchema(),
    },
  }
}

const FRAME = {
  policy: { ...ref('name'), ...say('策略名称', 'Name of the policy') },
  version: {
    type: 'integer',
    minimum: 1,
    ...say('版本号；数字最大的版本生效', 'Version; the highest one is in force'),
  },
  title: object('标题', 'Title', { zh: { type: 'string' }, en: { type: 'string' } }),
  from: {
    ...ref('name'),
    ...say('发送方（sealgate.yaml 中的 party id）', 'Sender: a party id of sealgate.yaml'),
  },
  to: { ...ref('name'), ...say('接收方', 'Recipient') },
  when: object('匹配的请求', 'The requests that it is for', {
    method: { enum: [...METHODS], ...say('HTTP 方法', 'HTTP method') },
    path: text('路径；{name} 代表一整段', 'Path; {name} stands for one whole segment', {
      pattern: '^/',
    }),
  }),
  purpose: {
    ...ref('name'),
    ...say('处理目的；令牌按目的隔离', 'Purpose; tokens of other purposes cannot be linked'),
  },
  legal: object('合法性基础', 'Legal ground', {
    basis: {
      enum: [...LEGAL_BASES],
      ...say('个人信息保护法第十三条、第二十三条', 'PIPL Art. 13 and 23'),
    },
    consent: object('同意记录在请求中的位置', 'Where the request carries the consent', {
      at: ref('path'),
    }),
    pia: object('个人信息保护影响评估（第五十五条）', 'Impact assessment (PIPL Art. 55)', {
      id: { type: 'string' },
      date: { type: 'string', format: 'date' },
    }),
  }),
  evidence: object('存证', 'Evidence', {
    links: map(
      '#/$defs/path',
      '案件关联键；封存前先假名化',
      'Case link keys; pseudonymised before they are sealed',
    ),
    custody: {
      enum: ['none', 'sealed'],
      ...say('是否加密保管原文', 'Whether originals are kept, encrypted'),
    },
    retain: text('保存期限，如 5y', 'How long, for example 5y', {
      pattern: '^[1-9]\\d{0,2}[ymd]$',
    }),
  }),
  mode: {
    enum: ['enforce', 'shadow'],
    ...say('shadow：只观察，不生效', 'shadow: watched beside the one in force'),
  },
  request: ref('direction'),
  response: ref('direction'),
  tests: {
    type: 'array',
    minItems: 1,
    items: ref('test'),
    ...say(
      '样例；加载时运行，不通过则不加载',
      'Worked examples; a policy whose examples fail does not load',
    ),
  },
}

function directionSchema(): Schema {
  return object(
    '一个方向的规则；未列出的字段不会通过',
    'Rules of one direction; what is not named does not pass',
    {
      body: bodySchema(),
      unnamed: {
        enum: ['drop', 'refuse'],
        ...say(
          '未列出的字段：丢弃，或拒绝整个请求',
          'Unnamed fields: drop them, or refuse the message',
        ),
      },
      envelope: object(
        '合作方报文信封（sealgate.yaml 的 envelopes）：先拆封再过策略，策略之后再加封',
        'Partner envelopes of sealgate.yaml: opened before the policy, sealed after it',
        {
          open: { ...ref('name'), ...say('来文的信封', 'What the body comes in') },
          seal: { ...ref('name'), ...say('去文的信封', 'What the body goes out in') },
        },
      ),
      buffered: {
        type: 'boolean',
        ...say(
          '长报文：全部检查通过后才放行',
          'Long bodies: let nothing out before all of it has passed',
        ),
      },
      headers: {
        anyOf: [{ type: 'array', items: { type: 'string' } }, ref('rules')],
        ...say('允许通过的请求头', 'Headers that pass'),
      },
      query: { ...ref('rules'), ...say('查询参数', 'Query parameters') },
      path: { ...ref('rules'), ...say('路径中的 {name}', 'The {names} of the path') },
      fields: {
        type: 'object',
        propertyNames: { pattern: '^\\$' },
        additionalProperties: ref('action'),
        ...say('JSONPath → 处理方式', 'JSONPath → what is done'),
      },
    },
  )
}

function bodySchema(): Schema {
  const columns = { type: 'array', items: { type: 'string' }, minItems: 1 }
  const record = (zh: string, en: string) =>
    object(zh, en, {
      columns: { ...columns, ...say('各列名称', 'Names of its columns') },
      count: text('记录行数的列', 'Column that holds how many rows there are', {}),
      totals: {
        type: 'object',
        additionalProperties: { type: 'string' },
        ...say('合计列 → 被合计的列', 'Column of a total → column that it sums up'),
      },
    })
  const body = object('报文格式；默认按 Content-Type', 'How bodies are written', {
    format: { enum: [...FORMAT_NAMES], ...say('格式', 'Format') },
    type: text('另外接受的媒体类型', 'A media type that bodies also have', {}),
    charset: { enum: [...CHARSETS], ...say('字符集', 'Character set') },
    delimiter: text('CSV 分隔符，如 "|" 或 "\\x01"', 'CSV delimiter, such as "|" or "\\x01"', {}),
    quote: { enum: ['double', 'none'], ...say('CSV 引号', 'CSV quotation') },
    columns: { ...columns, ...say('无表头时的列名', 'Columns of a table without a row of names') },
    head: record('首行记录', 'Record before the rows'),
    trailer: record('尾行记录', 'Record after the rows'),
    namespaces: {
      type: 'object',
      additionalProperties: { type: 'string' },
      ...say('XML 前缀 → 命名空间', 'XML prefix → namespace'),
    },
  })
  return { ...body, required: ['format'] }
}

function actionSchema(transforms: readonly string[], kinds: readonly string[] | undefined): Schema {
  const kind = kinds === undefined ? { type: 'string' } : { enum: kinds }
  return {
    anyOf: [
      { enum: transforms },
      {
        type: 'object',
        properties: {
          ...Object.fromEntries(transforms.map((name) => [name, DESCRIBED[name] ?? {}])),
          kind: { ...kind, ...say('信息种类（kinds.yaml）', 'Kind of data (kinds.yaml)') },
          to: { ...ref('path'), ...say('结果写到哪里', 'Where the result goes') },
          reason: text('理由', 'Why', {}),
        },
        oneOf: transforms.map((name) => ({ required: [name] })),
      },
    ],
  }
}

function testSchema(): Schema {
  const body = (zh: string, en: string) => ({ ...say(zh, en) })
  return object('一个样例', 'One worked example', {
    name: { type: 'string', ...say('说明', 'What it shows') },
    request: body('请求样例；文本按原样发送', 'Sample request; text is sent as it stands'),
    relayed: body('接收方应收到的内容', 'What must reach the recipient'),
    response: body('响应样例', 'Sample response'),
    answered: body('发送方应收到的内容', 'What must reach the caller'),
    refused: text('拒绝原因的一部分', 'A part of the reason for refusal', {}),
    never: {
      type: 'array',
      items: { type: 'string' },
      ...say('绝不能出现的文本', 'Texts that may stand nowhere'),
    },
  })
}

// prettier-ignore
const DESCRIBED: Readonly<Record<string, Schema>> = {
  keep:           say('原样通过', 'Pass on as it came'),
  drop:           say('删除', 'Remove'),
  refuse:         say('出现即拒绝', 'Refuse the message when it is there'),
  constant:       say('替换为固定值', 'Replace by a fixed value'),
  monitor:        say('通过并计数', 'Pass on and count'),
  mask:           say('部分遮盖', 'Show a part'),
  redact:         say('在文本中查找并替换', 'Replace what the detectors find in a text'),
  generalise:     say('泛化，如年龄段', 'Make coarser, such as an age band'),
  'date-shift':   say('日期偏移', 'Shift dates'),
  pseudonymise:   say('密钥假名，不可还原', 'Keyed pseudonym that cannot be undone'),
  tokenize:       say('令牌，发送方可还原', 'Token that its sender can get undone'),
  reveal:         say('还原为原值，仅限原持有方', 'Give the value back to the party that sent it'),
  encrypt:        say('加密给接收方', 'Encrypt to the recipient'),
  translate:      say('把对方的假名换成接收方的假名', 'Turn one party\'s pseudonym into another\'s'),
  attest:         say('交验证机构核验，只传结果', 'Have it verified, pass on only the result'),
  'legacy-hash':  say('无密钥摘要（弱，须签批并设期限）', 'Unkeyed hash: weak, needs sign-off and an end date'),
}

function say(zh: string, en: string): Schema {
  return { description: `${zh}\n${en}` }
}

function ref(name: string): Schema {
  return { $ref: `#/$defs/${name}` }
}

function text(zh: string, en: string, more: Schema): Schema {
  return { type: 'string', ...more, ...say(zh, en) }
}

function map(valueRef: string, zh: string, en: string): Schema {
  return { type: 'object', additionalProperties: { $ref: valueRef }, ...say(zh, en) }
}

function object(zh: string, en: string, properties: Readonly<Record<string, unknown>>): Schema {
  return { type: 'object', additionalProperties: false, properties, ...say(zh, en) }
}
