import {
  documentMethods,
  equalData,
  type Json,
  type Lens,
  type RegisterHandle,
  type StoredField,
} from '@peerplane/core'

import { valueOf, writesOf } from './converted.ts'
import { Names } from './names.ts'
import { stateHandle, type WriterHandle } from './state-handle.ts'

/** What a handler gets for a state whose stored handle is `stored`. */
export function handleFor(lens: Lens, stored: unknown): unknown {
  switch (lens.kind) {
    case 'same':
      return stored
    case 'parts':
      return partsHandle(lens.part, stored as PartsHandle)
    case 'record':
      return recordHandle(lens, stored as Fields)
    case 'state':
      return stateHandle(lens, stored as WriterHandle)
    default:
      return documentHandle(new Names(lens.names), stored as Tree)
  }
}

interface Fields {
  readonly [stored: string]: unknown
}

interface Tree {
  [name: string]: Json
}

/** Methods that return a part, or a key and a part, are translated; everything else is that of the stored handle. */
function partsHandle(lens: Lens, stored: PartsHandle): object {
  const get = (...args: readonly unknown[]): unknown => handleFor(lens, stored.get(...args))
  const insert = (...args: readonly unknown[]): unknown => {
    const { key, value } = stored.insert!(...args)
    return Object.freeze({ key, value: handleFor(lens, value) })
  }
  const handle = {}
  for (const name of Object.keys(stored)) {
    const own = name === 'get' ? get : name === 'insert' ? insert : undefined
    Object.defineProperty(handle, name, {
      get: () => own ?? stored[name],
      enumerable: true,
    })
  }
  return Object.freeze(handle)
}

interface PartsHandle {
  readonly [member: string]: unknown
  get(...args: readonly unknown[]): unknown
  insert?(...args: readonly unknown[]): { readonly key: string; readonly value: unknown }
}

function recordHandle(lens: Lens & { readonly kind: 'record' }, stored: Fields): object {
  const handle = {}
  for (const field of lens.fields) {
    const value = field.converted
      ? convertedHandle(field, stored)
      : handleFor(field.lens, stored[field.stored])
    Object.defineProperty(handle, field.name, { value, enumerable: true })
  }
  return Object.freeze(handle)
}

function convertedHandle(field: StoredField, fields: Fields): RegisterHandle<Json> {
  const register = (stored: string): StoredRegister => fields[stored] as StoredRegister
  const read = (stored: string): Json => {
    const { value, values } = register(stored)
    return value === undefined ? values! : value
  }
  const shown = (): Json => valueOf(field, read).value
  return Object.freeze({
    get value() {
      return shown()
    },
    set: (given: Json) => {
      const writes = writesOf(field, given)
      if (equalData(shown(), writes[0]![1])) return
      for (const [stored, value] of writes) rewrite(register(stored), value)
    },
  })
}

/** A register, or a multi-value register. */
interface StoredRegister {
  readonly value?: Json
  readonly values?: readonly Json[]
  set(value: Json): void
}

/**
 * Writes a value even if the register has it already: then all registers of a conversion have their latest write in one commit, so that after
 * concurrent writes they show the values of the same commit.
 */
function rewrite(register: StoredRegister, value: Json): void {
  const { value: now = register.values![0]! } = register
  if (equalData(now, value)) register.set(value === null ? false : null)
  register.set(value)
}

/** Names members as the app does; everything else is left to the handle of the document. */
function documentHandle(names: Names, stored: Tree): object {
  const at = (key: string | symbol): string | symbol =>
    typeof key === 'string' ? names.storedAs(key) : key
  return new Proxy<Tree>(stored, {
    get(target, key) {
      const method: unknown = isMethod(key) ? Reflect.get(target, key) : undefined
      if (typeof method !== 'function') return Reflect.get(target, at(key)) as unknown
      return (path: unknown, ...rest: unknown[]): unknown =>
        (method as Method)(names.pathOf(path), ...rest)
    },
    set: (target, key, value) => Reflect.set(target, at(key), value),
    has: (target, key) => Reflect.has(target, at(key)),
    deleteProperty: (target, key) => Reflect.deleteProperty(target, at(key)),
    ownKeys: (target) =>
      Reflect.ownKeys(target).flatMap((key) =>
        typeof key === 'string' ? (names.shownAs(key) ?? []) : key,
      ),
    getOwnPropertyDescriptor: (target, key) => Reflect.getOwnPropertyDescriptor(target, at(key)),
  })
}

/** Each method of a document takes a path first. */
type Method = (path: unknown, ...rest: unknown[]) => unknown

const isMethod = (key: string | symbol): boolean => documentMethods.some((name) => name === key)
