import { limits } from '@peerplane/core'
import { either, isName, isUndefined, type Parameter } from '@peerplane/core/testing'

export const refusals = ['invalid-input', 'too-large']

/** A parameter that is refused with one of `codes`. */
export const parameter = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  codes: readonly string[] = refusals,
): Parameter => ({ pass, takes, codes })

export const never = (): boolean => false
export const optional = (takes: (value: unknown) => boolean): ((value: unknown) => boolean) =>
  either(isUndefined, takes)
export const isPart = either(isName, (value) => value === '')
export const isWhole = (value: unknown): boolean =>
  Number.isSafeInteger(value) && Number(value) >= 0
export const isTimeout = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value < 2 ** 31 - 60_001
export const isHours = (value: unknown): boolean =>
  typeof value === 'number' && value > 0 && value <= limits.invitationHours
export const isDurability = (value: unknown): boolean =>
  ['memory', 'local', 'synced'].includes(value as string)
export const isVersion = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= limits.valueBytes && value.isWellFormed()

/** What a handler or a schema may do, which is not the caller's fault. */
export const applicationRow = (takes: Parameter['takes'], pass: Parameter['pass']): Parameter =>
  parameter(takes, pass, [...refusals, 'handler-failed'])

export const raise = (value: unknown): never => {
  throw value as Error
}
