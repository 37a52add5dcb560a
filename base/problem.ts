/** The error type that crosses module boundaries, and its RFC 9457 rendering. @module */

/** Types that draft-ietf-httpbis-resumable-upload registers. */
const IANA = 'https://iana.org/assignments/http-problem-types#'

/** One row per problem type (RFC 9457 §3.1). Slugs are public: add rows, never rename one. */
// prettier-ignore
const PROBLEMS = {
  'body-malformed':        { status: 400, retry: false, title: 'The body cannot be read',                          help: 'send one complete, unambiguous document in the declared media type' },
  'request-malformed':     { status: 400, retry: false, title: 'The request cannot be read',                       help: 'check the request line and the header fields' },
  'credentials-missing':   { status: 401, retry: false, title: 'No credentials were presented',                    help: 'send `Authorization: Bearer <JWT>` signed with the key that your party registered' },
  'credentials-invalid':   { status: 401, retry: false, title: 'The credentials are not valid',                    help: 'check iss, sub, aud, exp (at most 5 minutes ahead) and the signing key' },
  'credentials-replayed':  { status: 401, retry: false, title: 'The credentials were used before',                 help: 'make a new JWT with a fresh jti for each request' },
  'caller-forbidden':      { status: 403, retry: false, title: 'The caller may not do this',                       help: 'ask the operator which routes your party may call' },
  'envelope-unreadable':   { status: 400, retry: false, title: 'The partner envelope cannot be opened',              help: 'check keys, algorithms, times and member names against what was agreed' },
  'envelope-replayed':     { status: 401, retry: false, title: 'The partner envelope was used before',               help: 'make a new envelope with a fresh nonce for each request' },
  'consent-missing':       { status: 403, retry: false, title: 'The borrower\'s consent does not cover this relay', help: 'obtain consent for this recipient, purpose and these kinds of data' },
  'recipient-unknown':     { status: 404, retry: false, title: 'There is no such recipient',                       help: 'the first path segment names the recipient party' },
  'route-unknown':         { status: 404, retry: false, title: 'No policy allows this route',                      help: 'a compliance officer must load a policy for this caller, recipient, method and path' },
  'body-too-large':        { status: 413, retry: false, title: 'The body is too large',                            help: 'send a smaller body, or split it' },
  'upload-unknown':        { status: 404, retry: false, title: 'There is no such upload',                          help: 'it is not yours, ended long ago, or was lost with a restart before it was complete; begin a new one' },
  'upload-cancelled':      { status: 410, retry: false, title: 'The upload was cancelled',                         help: 'nothing of it reached the recipient; begin a new one' },
  'upload-expired':        { status: 410, retry: false, title: 'The upload was not completed in time',             help: 'nothing of it reached the recipient; begin a new one, and mind `max-age`' },
  'mismatching-upload-offset':  { status: 409, retry: false, type: `${IANA}mismatching-upload-offset`,  title: 'The content does not begin where the upload ends', help: 'go on from `expected-offset`' },
  'completed-upload':           { status: 400, retry: false, type: `${IANA}completed-upload`,           title: 'The upload is complete',                           help: 'ask with HEAD or GET what became of it' },
  'inconsistent-upload-length': { status: 400, retry: false, type: `${IANA}inconsistent-upload-length`, title: 'The lengths of the upload do not fit together',    help: 'send what `Upload-Length` said, and nothing after it is complete' },
  'media-type-unsupported':{ status: 415, retry: false, title: 'The media type or coding is not supported',        help: 'send a media type that the gateway can inspect' },
  'policy-refused':        { status: 422, retry: false, title: 'The policy refuses this content',                  help: 'remove the named field, or agree on a policy change' },
  'value-unsuitable':      { status: 422, retry: false, title: 'A value does not fit its rule',                    help: 'send the named field in the form that the policy expects' },
  'row-invalid':           { status: 422, retry: false, title: 'A row cannot be read',                             help: 'correct the row, counted from 1 behind the row of names, and send all of it again' },
  'totals-wrong':          { status: 422, retry: false, title: 'The count or a total does not match the rows',     help: 'correct the head or trailer record, or send the missing rows' },
  'file-refused':          { status: 422, retry: false, title: 'The file is not taken',                               help: 'see the detail; hand the file in again under a new name' },
  'leak-detected':         { status: 422, retry: false, title: 'Personal data would have left in the clear',       help: 'the named place holds data that no rule allows; remove it or agree on a rule' },
  'job-invalid':           { status: 400, retry: false, title: 'The queued job is not valid',                      help: 'inspect the producer of this queue' },
  'log-unavailable':       { status: 503, retry: true,  title: 'The evidence log cannot accept records',           help: 'see the operator\'s log; the journal keeps the records' },
  'log-inconsistent':      { status: 503, retry: false, title: 'The evidence log contradicts itself',              help: 'stop, keep all files, and run `sealgate log fsck`' },
  'evidence-unavailable':  { status: 503, retry: true,  title: 'Evidence cannot be made durable',                  help: 'nothing was relayed; try again later' },
  'outcome-unrecorded':    { status: 503, retry: false, title: 'The outcome could not be recorded',                help: 'the recipient received the request; reconcile by your request number' },
  'caller-gone':           { status: 400, retry: false, title: 'The caller did not take the answer',               help: 'the recipient has answered; reconcile by your request number' },
  'overloaded':            { status: 503, retry: true,  title: 'The gateway is at capacity or shutting down',      help: 'try again later' },
  'recipient-unreachable': { status: 502, retry: true,  title: 'The recipient could not be reached',               help: 'the recipient did not accept the connection; nothing was received by it' },
  'recipient-failed':      { status: 502, retry: false, title: 'The recipient\'s answer cannot be passed on',      help: 'the request may have been processed; reconcile by your request number' },
  'recipient-timeout':     { status: 504, retry: false, title: 'The recipient did not answer in time',             help: 'the request may have been processed; reconcile by your request number' },
  'verifier-failed':       { status: 502, retry: true,  title: 'The verifier of a value could not be used',         help: 'nothing was relayed; try again later' },
  'key-unusable':          { status: 503, retry: false, title: 'A key or certificate cannot be used',             help: 'see the operator\'s log; check the file, its mode and its validity' },
  'timestamp-unavailable': { status: 503, retry: true,  title: 'No valid time stamp could be had',                help: 'see the operator\'s log; the next token covers all records before it' },
  'internal':              { status: 500, retry: false, title: 'Internal error',                                   help: 'give the Evidence-Id to the operator' },
} as const satisfies Record<string, ProblemType>

interface ProblemType {
  readonly status: number
  readonly retry: boolean
  /** The type that clients know it by, where a standard gave one; else the page of its slug. */
  readonly type?: string
  readonly title: string
  readonly help: string
}

export type ProblemSlug = keyof typeof PROBLEMS

type Members = Readonly<Record<string, unknown>>

/** The only error that crosses a module boundary. Anything else thrown is a bug. */
export class Problem extends Error {
  readonly slug: ProblemSlug
  /** Extension members (RFC 9457 §3.2) of this occurrence. */
  readonly members: Members
  /** @param detail reaches the client: names positions and limits, never a value from a body. */
  constructor(
    slug: ProblemSlug,
    detail: string,
    { members = {}, ...options }: ErrorOptions & { readonly members?: Members } = {},
  ) {
    super(detail, options)
    this.name = 'Problem'
    this.slug = slug
    this.members = members
  }
  get status(): number {
    return PROBLEMS[this.slug].status
  }
  get retry(): boolean {
    return PROBLEMS[this.slug].retry
  }
}

/** The members of an RFC 9457 §3 problem document, with `help` as an extension member. */
export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly help: string
  readonly instance?: string
  readonly [member: string]: unknown
}

/** Renders any thrown value. A foreign error may quote personal data, so it renders bare. */
export function toProblemDetails(error: unknown, instance?: string): ProblemDetails {
  const { slug, message, members } = error instanceof Problem ? error : new Problem('internal', '')
  const { status, title, help, type }: ProblemType = PROBLEMS[slug]
  return {
    type: type ?? `/problems/${slug}`,
    title,
    status,
    ...(message === '' ? {} : { detail: message }),
    help,
    ...members,
    ...(instance === undefined ? {} : { instance }),
  }
}

/** Every problem type, for the pages that the gateway serves at `/problems/<slug>`. */
export function problemTypes(): readonly (ProblemType & { readonly slug: ProblemSlug })[] {
  return (Object.keys(PROBLEMS) as ProblemSlug[]).map((slug) => ({ slug, ...PROBLEMS[slug] }))
}
