/** The admin listener described for machines (OpenAPI 3.1). @module */
import { COUNTS } from '../file/status.ts'

type Schema = Readonly<Record<string, unknown>>

const RECORD = { type: 'string', format: 'uuid', description: 'record id (Evidence-Id)' }
const TEXT = { type: 'string', minLength: 1, maxLength: 200 }
const WHY = { ...TEXT, description: 'sealed in clear: names no person' }
const TIME = { type: 'string', format: 'date-time' }
const COUNT = { type: 'integer', minimum: 0 }
const TEXTS = { type: 'object', additionalProperties: { type: 'string' } }

/** Path below `/api` → what it does, what it takes (all required but `optional`), what it answers. */
const CALLS: Readonly<Record<string, Call>> = {
  erase: {
    summary: 'destroy the originals of a record, unless a hold keeps them',
    takes: { record: RECORD, rule: WHY },
    gives: { erased: COUNT, held: COUNT },
  },
  hold: {
    summary: 'keep the originals of a record, whatever asks for their erasure',
    takes: { record: RECORD, reason: WHY },
    gives: {},
  },
  release: { summary: 'end a hold', takes: { record: RECORD, reason: WHY }, gives: {} },
  reveal: {
    summary: 'seal that a record is opened, then give its ciphertexts, for the custodian alone',
    takes: { record: RECORD, reason: WHY, fields: { type: 'array', items: TEXT, maxItems: 64 } },
    gives: { evidenceId: RECORD, originals: { type: 'array', items: { type: 'string' } } },
  },
  'reveal-body': {
    summary: 'the same, and the ciphertext of a body that was too long for a claim',
    takes: { record: RECORD, reason: WHY, side: { enum: ['request', 'response'] } },
    gives: 'the texts that `reveal` gives, one a line, an empty line, and the body (RFC 8188)',
  },
  records: {
    summary: 'append records that another process of this installation sealed',
    takes: { v: { const: 1 }, records: { type: 'array', items: { type: 'object' } } },
    gives: {},
  },
  deposit: {
    summary: "seal a document's digest or other facts in the name of a party",
    takes: { party: TEXT, type: TEXT },
    optional: {
      links: TEXTS,
      content: TEXTS,
      sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    },
    gives: { evidenceId: RECORD },
    status: 201,
  },
}

const TRANSFERS = {
  summary: 'long bodies and files under way: how far each is, how fast, and what is still to come',
  gives: {
    transfers: {
      type: 'array',
      items: object(
        {
          record: RECORD,
          direction: { enum: ['request', 'response', 'upload', 'file'] },
          caller: TEXT,
          recipient: TEXT,
          route: TEXT,
          received: COUNT,
          forwarded: COUNT,
          rows: COUNT,
          seconds: { type: 'number' },
          bytesPerSecond: COUNT,
          rowsPerSecond: COUNT,
        },
        { remainingBytes: COUNT, remainingSeconds: COUNT },
      ),
    },
    desks: {
      type: 'array',
      description: 'what each `sealgate file` did since it started',
      items: object(
        {
          policy: TEXT,
          state: { enum: ['working', 'idle', 'stopped', 'lost'] },
          since: TIME,
          seen: TIME,
          ...Object.fromEntries(COUNTS.map((name) => [name, COUNT])),
        },
        {
          last: object(
            { record: RECORD, result: { enum: ['delivered', 'refused'] }, at: TIME },
            { problem: TEXT },
          ),
          deliveredAt: TIME,
        },
      ),
    },
  },
}

interface Call {
  readonly summary: string
  readonly takes: Schema
  readonly optional?: Schema
  /** Members of a JSON object; or what stands in an answer that is none. */
  readonly gives: Schema | string
  readonly status?: number
}

const PROBLEM = {
  description: 'what is wrong (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

/** The document that `/api/openapi.json` answers. */
export function openApi(): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'Sealgate admin API', version: '1' },
    security: [{ secret: [] }],
    paths: {
      '/healthz': open('the process lives'),
      '/readyz': { ...open('200 while requests are taken, else 503 with the reasons') },
      '/metrics': open('metrics in the Prometheus text format'),
      '/api/openapi.json': open('this document'),
      '/api/transfers': { get: question('transfers', TRANSFERS) },
      ...Object.fromEntries(
        Object.entries(CALLS).map(([name, call]) => [
          `/api/${name}`,
          { post: operation(name, call) },
        ]),
      ),
    },
    components: {
      securitySchemes: {
        secret: {
          type: 'http',
          scheme: 'bearer',
          description: 'the content of data/keys/admin.secret',
        },
      },
      schemas: {
        Problem: object({ type: TEXT, title: TEXT, status: COUNT }, { detail: { type: 'string' } }),
      },
    },
  }
}

function operation(name: string, { summary, takes, optional, gives, status = 200 }: Call): Schema {
  return {
    operationId: name,
    summary,
    requestBody: { required: true, content: json(object(takes, optional)) },
    responses: {
      [status]:
        typeof gives === 'string'
          ? { description: gives, content: { 'application/octet-stream': {} } }
          : { description: 'done and sealed', content: json(object(gives)) },
      default: PROBLEM,
    },
  }
}

function question(name: string, { summary, gives }: { summary: string; gives: Schema }): Schema {
  return {
    operationId: name,
    summary,
    responses: { 200: { description: 'OK', content: json(object(gives)) }, default: PROBLEM },
  }
}

function open(summary: string): Schema {
  return { get: { summary, security: [], responses: { 200: { description: 'OK' } } } }
}

function object(required: Schema, optional: Schema = {}): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
  }
}

function json(schema: Schema): Schema {
  return { 'application/json': { schema } }
}
