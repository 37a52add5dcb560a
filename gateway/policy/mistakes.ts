/** The numbers of what makes a policy unusable; likely mistakes have theirs in lint.ts. Pure. @module */
import type { Report } from '../../base/diagnostic.ts'

/** One row per mistake: numbers are public, add rows, never reuse one. */
export const MISTAKES = {
  P001: 'the file is not strict YAML',
  P002: 'a key is missing or not known, or its value is not usable',
  P003: 'a path is not JSONPath as the language has it',
  P004: 'a rule does not say one thing to do',
  P005: 'there is no such kind',
  P006: 'two rules decide one value',
  P007: 'a rule cannot do what it says',
  P008: 'a party is missing in `sealgate.yaml`, or cannot be called',
  P009: 'a test of the policy fails',
  P010: 'two files hold one version, or two policies one route',
  P011: 'a file or folder cannot be read',
  P012: 'the dictionary of kinds is wrong',
  P013: 'an envelope is missing in `sealgate.yaml`, or cannot be used there',
} as const
export type MistakeCode = keyof typeof MISTAKES

/** The same report; what is told to it without a number gets this one. */
export function numbered(report: Report, number: MistakeCode): Report {
  return {
    addSource: report.addSource,
    error: (at, message, help, code = number) => report.error(at, message, help, code),
    warning: (at, message, help, code = number) => report.warning(at, message, help, code),
    get diagnostics() {
      return report.diagnostics
    },
    get errorCount() {
      return report.errorCount
    },
  }
}
