/** The transforms that need no key: keep, drop, constant, monitor, refuse. @module */
import { DROP, KEEP, toRefusal } from './change.ts'
import { readParameters } from './parameters.ts'
import type { Change, TransformType } from './transform.ts'

/** Passes the value on, byte for byte. */
export const keep: TransformType = (action, _binding, complain) => {
  readParameters(action, complain, 'reason')
  return () => KEEP
}

/** Removes the value. */
export const drop: TransformType = (action, _binding, complain) => {
  readParameters(action, complain, 'reason')
  return () => DROP
}

/** Passes the value on under its own name in the manifest, so that an officer can count before deciding. */
export const monitor: TransformType = (action, _binding, complain) => {
  readParameters(action, complain, 'reason')
  return () => KEEP
}

/** Refuses the exchange when the field is there. */
export const refuse: TransformType = (action, _binding, complain) => {
  const parameters = readParameters(action, complain, 'reason')
  const why = parameters.has('reason') ? parameters.text('reason') : 'the policy refuses this field'
  const refusal = toRefusal(why)
  return () => refusal
}

/** Replaces the value, null too, with one that the policy states. */
export const constant: TransformType = (action, _binding, complain) => {
  const value = action.with['constant']
  if (value === undefined || typeof value === 'object') {
    complain('`constant` needs a text, number or boolean', 'type `constant: "unknown"`')
  }
  readParameters({ ...action, with: { ...action.with, constant: null } }, complain, undefined)
  const change: Change = { change: 'json', json: JSON.stringify(value ?? null) }
  return () => change
}
