import { copyPlain, describe, limits, PeerplaneError, type documentMethods } from '@peerplane/core'

import type { Access, Container, Prop } from './access.ts'
import { checkKey } from './plain.ts'
import type { Neighbour } from './text-positions.ts'

/**
 * What a handler gets for a document: it looks like plain data, and writing to it changes the replica of `access`.
 *
 * Texts read as strings; `splice` at the top edits them in place, `positionAt` and `indexOf` name places in them. What a document cannot hold, or plain data cannot do, throws
 * `invalid-input`.
 */
export function documentHandle(access: Access): object {
  return mapHandle(access, { id: '_root', depth: 0 }, methodsOf(access))
}

/** What a document has beside its content; `documentMethods` names them. */
function methodsOf(access: Access): {
  readonly [name in (typeof documentMethods)[number]]: unknown
} {
  return {
    splice: (path: unknown, at: number | string, remove: number, text: string): void =>
      access.spliceText(checkPath(path), at, remove, text),
    positionAt: (path: unknown, index: number, neighbour: Neighbour = 'next'): string =>
      access.positionAt(checkPath(path), index, neighbour),
    indexOf: (path: unknown, position: unknown): number =>
      access.indexOf(checkPath(path), position),
  }
}

function checkPath(path: unknown): readonly Prop[] {
  const steps = copyPlain(path, 'the path of a text', { depth: 1, size: limits.valueBytes })
  if (Array.isArray(steps) && steps.every(isStep)) return steps
  throw invalid(`a path is a list of keys and positions, not ${describe(path)}`)
}

const isStep = (step: unknown): step is Prop =>
  typeof step === 'string' || Number.isSafeInteger(step)

function wrapIn(access: Access): (type: 'map' | 'list', place: Container) => object {
  return (type, place) =>
    type === 'map' ? mapHandle(access, place, {}) : listHandle(access, place)
}

function mapHandle(
  access: Access,
  place: Container,
  own: { readonly [name: string]: unknown },
): object {
  const wrap = wrapIn(access)
  const get = (key: string): unknown =>
    Object.hasOwn(own, key) ? own[key] : access.read(place, key, wrap)
  return new Proxy<Record<string, unknown>>(
    {},
    {
      ...sealed,
      get: (target, key) => (typeof key === 'string' ? get(key) : Reflect.get(target, key)),
      has: (_, key) => typeof key === 'string' && get(key) !== undefined,
      ownKeys: () => access.keys(place),
      getOwnPropertyDescriptor(_, key) {
        const value = typeof key === 'string' ? access.read(place, key, wrap) : undefined
        if (value === undefined) return undefined
        return { configurable: true, enumerable: true, writable: true, value }
      },
      set(_, key, value) {
        if (typeof key !== 'string') throw invalid('a document has texts as keys, no symbols')
        if (Object.hasOwn(own, key)) throw invalid(`"${key}" is a method of a document`)
        access.put(place, checkKey(key), value)
        return true
      },
      deleteProperty(_, key) {
        if (typeof key !== 'string') return true
        if (access.read(place, key, wrap) !== undefined) access.delete(place, key)
        return true
      },
    },
  )
}

function listHandle(access: Access, place: Container): object {
  const wrap = wrapIn(access)
  const methods = listMethods(access, place, (index) => access.read(place, index, wrap))
  return new Proxy<unknown[]>([], {
    ...sealed,
    get(target, key, receiver): unknown {
      if (key === 'length') return access.length(place)
      const index = toIndex(key)
      if (index !== undefined) return access.read(place, index, wrap)
      if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key]
      // Reading methods of arrays work through this proxy.
      return Reflect.get(target, key, receiver)
    },
    has(target, key) {
      const index = toIndex(key)
      return index === undefined ? Reflect.has(target, key) : index < access.length(place)
    },
    ownKeys: () => [...Array(access.length(place)).keys()].map(String).concat('length'),
    getOwnPropertyDescriptor(_, key) {
      if (key === 'length') {
        return {
          configurable: false,
          enumerable: false,
          writable: true,
          value: access.length(place),
        }
      }
      const index = toIndex(key)
      if (index === undefined || index >= access.length(place)) return undefined
      const value = access.read(place, index, wrap)
      return { configurable: true, enumerable: true, writable: true, value }
    },
    set(_, key, value) {
      const length = access.length(place)
      const index = toIndex(key)
      if (index !== undefined && index < length) access.put(place, index, value)
      else if (index === length) access.spliceList(place, length, 0, [value])
      else if (key === 'length' && isLength(value, length)) {
        access.spliceList(place, value, length - value, [])
      } else if (index !== undefined) {
        throw invalid(`a list of ${length} items has no place ${index}: push adds at its end`)
      } else if (key === 'length') {
        throw invalid(`a list of ${length} items cannot be cut to ${describe(value)}`)
      } else throw invalid(`a list has items only, no member ${describe(key)}`)
      return true
    },
    deleteProperty() {
      throw invalid('a list has no gaps: remove an item with splice')
    },
  })
}

/** The methods of arrays that change their length; generic ones would rewrite every item behind. */
function listMethods(
  access: Access,
  place: Container,
  read: (index: number) => unknown,
): { readonly [name: string]: unknown } {
  const length = (): number => access.length(place)
  const snapshot = (index: number): unknown => structuredClone(toData(read(index)))
  function splice(start: number, given?: number, ...items: readonly unknown[]): unknown[] {
    const size = length()
    const remove = given === undefined ? size : given
    for (const number of [start, remove]) {
      if (typeof number !== 'number' || Number.isNaN(number)) {
        throw invalid(`a splice takes a position and a number of items, not ${describe(number)}`)
      }
    }
    const from =
      start < 0 ? Math.max(0, size + Math.trunc(start)) : Math.min(size, Math.trunc(start))
    const count = Math.max(0, Math.min(size - from, Math.trunc(remove)))
    const removed = Array.from({ length: count }, (_, i) => snapshot(from + i))
    access.spliceList(place, from, count, items)
    return removed
  }
  return {
    splice,
    push: (...items: readonly unknown[]): number => (splice(length(), 0, ...items), length()),
    unshift: (...items: readonly unknown[]): number => (splice(0, 0, ...items), length()),
    pop: (): unknown => (length() > 0 ? splice(length() - 1, 1)[0] : undefined),
    shift: (): unknown => splice(0, 1)[0],
  }
}

/** A handle as data that outlives what it stands for. */
function toData(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}

function toIndex(key: string | symbol): number | undefined {
  return typeof key === 'string' && /^(0|[1-9][0-9]{0,9})$/.test(key) ? Number(key) : undefined
}

const isLength = (value: unknown, max: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max

/** What plain data does not do. */
const sealed: ProxyHandler<object> = {
  defineProperty: () => refuse('properties are assigned, not defined'),
  setPrototypeOf: () => refuse('it has no class'),
  preventExtensions: () => refuse('it cannot be frozen'),
}

function refuse(why: string): never {
  throw invalid(`a document is plain data: ${why}`)
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
