/** Binds one transform as a policy would, for the tests of transforms. */
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Action } from '../../gateway/policy/policy.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import { createTransforms, type TransformPorts } from '../../gateway/transform/table.ts'
import type { Binding, Change, Scalar, Transform } from '../../gateway/transform/transform.ts'

export const BINDING: Binding = {
  from: 'sunrise-platform',
  to: 'harbour-bank',
  purpose: 'credit-assessment',
  kind: 'any',
  direction: 'request',
}

const PORTS: TransformPorts = { keys: throwawayKeyRing(), clock: systemClock }

interface Options {
  readonly binding?: Partial<Binding>
  readonly ports?: Partial<TransformPorts>
}

/** The transform, and the complaints about its parameters. */
export function tryBind(
  transform: string,
  parameters: Action['with'] = {},
  { binding, ports }: Options = {},
): { apply: Transform; complaints: string[] } {
  const complaints: string[] = []
  const type = createTransforms({ ...PORTS, ...ports }).get(transform)
  if (type === undefined) throw new Error(`no transform ${transform}`)
  const action = { transform, with: parameters }
  const complain = (message: string, help: string) => complaints.push(`${message}: ${help}`)
  return { apply: type(action, { ...BINDING, ...binding }, complain), complaints }
}

/** The transform; complaints are an error. */
export function bind(transform: string, parameters?: Action['with'], options?: Options): Transform {
  const { apply, complaints } = tryBind(transform, parameters, options)
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  return apply
}

export const text = (value: string): Scalar => ({ type: 'string', reveal: () => value })
export const number = (source: string): Scalar => ({ type: 'number', reveal: () => source })
export const NULL: Scalar = { type: 'null', reveal: () => 'null' }

/** The replacing text; any other change is an error. */
export function textOf(change: Change): string {
  if (change.change === 'token') return change.text()
  if (change.change !== 'text') throw new Error(`expected a text, got ${change.change}`)
  return change.text
}

/** A clock that stands at an instant. */
export function clockAt(instant: string): Clock {
  return { wallUs: () => BigInt(Date.parse(instant)) * 1000n, monotonicNs: () => 0n }
}

/** What a `later` change becomes. */
export async function settle(change: Change): Promise<Change> {
  return change.change === 'later' ? settle(await change.result) : change
}
