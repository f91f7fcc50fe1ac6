import { checkName, describe, limits, PeerplaneError, reading } from '@peerplane/core'

/** Checks one option that was passed to a function, and returns it. Throws `invalid-input` for an invalid value. */
export type OptionReader<T> = (value: unknown, name: string) => T

/**
 * Returns a copy of the options that were passed to a function. Each option in the copy is what its reader in `readers` returned; options without a
 * reader are left out. Throws `invalid-input`.
 */
export function takeOptions<T extends object>(
  options: unknown,
  readers: { readonly [Name in keyof T]-?: OptionReader<NonNullable<T[Name]>> },
): Partial<T> {
  const isObject = reading(
    () => typeof options === 'object' && options !== null && !Array.isArray(options),
    () => invalid('the options cannot be read'),
  )
  if (!isObject) throw invalid(`the options are an object, not ${describe(options)}`)
  const given: { readonly [name: string]: unknown } = reading(
    () => ({ ...(options as object) }),
    () => invalid('the options cannot be read'),
  )
  const taken: { [name: string]: unknown } = {}
  for (const name of Object.keys(readers) as (keyof T & string)[]) {
    const value = given[name]
    if (value !== undefined) taken[name] = readers[name](value as never, name)
  }
  return taken as Partial<T>
}

/** The readers of options. */
export const option = {
  text: (value: unknown, name: string): string => {
    if (typeof value === 'string' && value.isWellFormed() && value.length <= limits.inputSize) {
      return value
    }
    throw wrong(name, 'a string', value)
  },
  name: (value: unknown, name: string): string => checkName(value, `the option ${name}`),
  texts: (value: unknown, name: string): readonly string[] => {
    const refused = wrong(name, 'a list of texts', value)
    const list = reading(
      () => Array.isArray(value) && ([...value] as unknown[]),
      () => refused,
    )
    if (list && list.every((each) => typeof each === 'string' && each.isWellFormed())) {
      return list as readonly string[]
    }
    throw refused
  },
  /** Reads an option that is a prefix of names. The prefix may be empty. */
  prefix: (value: unknown, name: string): string =>
    value === '' ? '' : checkName(value, `the option ${name}`),
  oneOf:
    <Word extends string>(...words: readonly Word[]): OptionReader<Word> =>
    (value, name) => {
      const word = words.find((each) => each === value)
      if (word !== undefined) return word
      throw wrong(name, words.join(' or '), value)
    },
  switch: (value: unknown, name: string): boolean => {
    if (typeof value === 'boolean') return value
    throw wrong(name, 'true or false', value)
  },
  whole: (value: unknown, name: string): number => {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
    throw wrong(name, 'a whole number', value)
  },
  count: (value: unknown, name: string): number => {
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
    throw wrong(name, 'a whole number from 1', value)
  },
  callback:
    <F>(): OptionReader<F> =>
    (value, name) => {
      if (typeof value === 'function') return value as F
      throw wrong(name, 'a function', value)
    },
} as const

const wrong = (name: string, form: string, value: unknown): PeerplaneError =>
  invalid(`the option ${name} is ${form}, not ${describe(value)}`)

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
