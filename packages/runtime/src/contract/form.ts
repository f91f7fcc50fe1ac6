import { limits, PeerplaneError, type Json } from '@peerplane/core'

/*
 * How values cross a boundary: a channel between tabs, a socket, later HTTP. A form ties a TypeScript type to its reader and writer, so
 * that a field which is added to the type and not to the form does not compile.
 */

/** Reads and writes values of `T` as JSON data. */
export interface Form<T> {
  /**
   * The value that `data` stands for; `undefined` stands for a field that is absent. Throws `malformed`, `too-large`, or, for a field that
   * only a newer version knows, `outdated`.
   */
  readonly read: (data: unknown, name: string) => T
  /** JSON data for `value`; `undefined` leaves the field out. */
  readonly write: (value: T) => Json | undefined
}

/** The forms of all fields of `T`, optional ones included. */
export type FieldForms<T> = { readonly [Name in keyof T]-?: Form<T[Name]> }

/** A form of an object with exactly these fields. */
export function object<T extends object>(fields: FieldForms<T>): Form<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return {
    read: (data, name) => {
      if (typeof data !== 'object' || data === null || Array.isArray(data)) {
        throw malformed(name, 'an object')
      }
      for (const key of Object.keys(data)) {
        if (!Object.hasOwn(fields, key)) throw outdated(`${name}.${key}`)
      }
      const given = data as { readonly [name: string]: unknown }
      const read = names.map((key) => [key, fields[key].read(given[key], `${name}.${key}`)])
      return Object.fromEntries(read) as T
    },
    write: (value) => {
      const data: { [name: string]: Json } = {}
      for (const key of names) {
        const written = fields[key].write(value[key])
        if (written !== undefined) data[key] = written
      }
      return data
    },
  }
}

/** A form of one of several objects, which their field `tag` tells apart. */
export function tagged<T extends object, Tag extends keyof T & string>(
  tag: Tag,
  forms: {
    readonly [Word in T[Tag] & string]: Form<Extract<T, { readonly [Key in Tag]: Word }>>
  },
): Form<T> {
  const table = forms as unknown as { readonly [word: string]: Form<T> }
  const words = oneOf(...Object.keys(table))
  return {
    read: (data, name) => {
      if (typeof data !== 'object' || data === null) throw malformed(name, 'an object')
      const word = words.read((data as { readonly [key: string]: unknown })[tag], `${name}.${tag}`)
      return table[word]!.read(data, name)
    },
    write: (value) => table[value[tag] as string]!.write(value),
  }
}

/** A form of a list of at most `max` items. */
export function list<T>(item: Form<T>, max = Infinity): Form<readonly T[]> {
  return {
    read: (data, name) => {
      if (!Array.isArray(data)) throw malformed(name, 'a list')
      if (data.length > max) {
        throw new PeerplaneError('too-large', `${name} has ${data.length} items, more than ${max}`)
      }
      return data.map((each) => item.read(each, name))
    },
    write: (items) => items.map((each) => item.write(each) ?? null),
  }
}

/** A form of an object with some of these keys, and one form for all values. */
export function partial<Key extends string, T>(
  keys: readonly Key[],
  form: Form<T>,
): Form<Readonly<Partial<Record<Key, T>>>> {
  return {
    read: (data, name) => {
      const forms = Object.fromEntries(keys.map((key) => [key, optional(form)]))
      return object(forms as unknown as FieldForms<Partial<Record<Key, T>>>).read(data, name)
    },
    write: (value) => {
      const written = keys.flatMap((key) => {
        const each = value[key]
        return each === undefined ? [] : [[key, form.write(each) ?? null] as const]
      })
      return Object.fromEntries(written)
    },
  }
}

/** A form of a list with one form for each place. */
export function tuple<T extends readonly unknown[]>(
  ...items: { readonly [Index in keyof T]: Form<T[Index]> }
): Form<T> {
  return {
    read: (data, name) => {
      if (!Array.isArray(data)) throw malformed(name, 'a list')
      if (data.length > items.length) throw outdated(`${name}.${items.length}`)
      return items.map((item, index) => item.read(data[index], `${name}.${index}`)) as unknown as T
    },
    write: (values) => items.map((item, index) => item.write(values[index]) ?? null),
  }
}

/** A form of a field that may be absent. */
export function optional<T>(form: Form<T>): Form<T | undefined> {
  return {
    read: (data, name) => (data === undefined ? undefined : form.read(data, name)),
    write: (value) => (value === undefined ? undefined : form.write(value)),
  }
}

/** Like {@link optional}, where JSON has no absence, for example inside a list: `[]` or `[value]`. */
export function maybe<T>(form: Form<T>): Form<T | undefined> {
  return {
    read: (data, name) => {
      const [first] = list(form, 1).read(data, name)
      return first
    },
    write: (value) => (value === undefined ? [] : [form.write(value) ?? null]),
  }
}

/** A form of one of several words. */
export function oneOf<const Words extends readonly string[]>(...words: Words): Form<Words[number]> {
  return {
    read: (data, name) => {
      const word = words.find((each) => each === data)
      if (word !== undefined) return word
      // A newer version may have more words.
      throw typeof data === 'string'
        ? outdated(`${name} "${short(data)}"`)
        : malformed(name, 'a word')
    },
    write: (word) => word,
  }
}

/** The form of a string of at most `maxUnits` UTF-16 units; `T` is a branded string. */
export function text<T extends string = string>(maxUnits: number = limits.valueBytes): Form<T> {
  return {
    read: (data, name) => {
      if (typeof data !== 'string') throw malformed(name, 'a string')
      if (data.length > maxUnits) {
        throw new PeerplaneError('too-large', `${name} has ${data.length} characters`)
      }
      return data as T
    },
    write: (value) => value,
  }
}

/** A form of a finite number. */
export const number: Form<number> = {
  read: (data, name) => {
    if (typeof data === 'number' && Number.isFinite(data)) return data
    throw malformed(name, 'a finite number')
  },
  write: (value) => value,
}

/** A form of a whole number from 0. */
export const count: Form<number> = {
  read: (data, name) => {
    if (Number.isSafeInteger(data) && (data as number) >= 0) return data as number
    throw malformed(name, 'a whole number from 0')
  },
  write: (value) => value,
}

/** A form of `true` or `false`. */
export const flag: Form<boolean> = {
  read: (data, name) => {
    if (typeof data === 'boolean') return data
    throw malformed(name, 'true or false')
  },
  write: (value) => value,
}

/** A form of any JSON value. It is passed through unread: who uses it checks it. */
export const json: Form<Json> = {
  read: (data, name) => {
    if (data === undefined) throw malformed(name, 'a value')
    return data as Json
  },
  write: (value) => value,
}

/** A form of no value. */
export const nothing: Form<void> = {
  read: () => undefined,
  write: () => undefined,
}

const malformed = (name: string, expected: string): PeerplaneError =>
  new PeerplaneError('malformed', `${name} is not ${expected}`)

const outdated = (name: string): PeerplaneError =>
  new PeerplaneError('outdated', `this version does not know ${short(name)}`)

const short = (value: string): string => value.slice(0, 80)
