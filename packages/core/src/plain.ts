import { describe } from './describe.ts'
import { isA, PeerplaneError, type ErrorCode } from './errors.ts'
import type { Json } from './json.ts'

/** Bounds for the size of a value. */
export interface PlainBounds {
  /** The maximum number of levels of nesting. */
  readonly depth: number
  /** The maximum total number of values, keys and characters of texts. */
  readonly size: number
}

/**
 * Returns a deep copy of plain JSON data.
 *
 * Plain data consists of null, booleans, finite numbers, well-formed strings, arrays without holes, and objects without a class. Proxies of plain
 * data are allowed. As in JSON, properties that are `undefined` or have a symbol as key are left out, and minus zero becomes zero. `toJSON` is not
 * called.
 *
 * Throws an error with the code `code` if the data is invalid; the error names the invalid part, such as `input.items[3].price`. Throws `too-large`
 * if the data exceeds `bounds`.
 */
export function copyPlain(
  value: unknown,
  name: string,
  bounds: PlainBounds,
  code: ErrorCode = 'invalid-input',
): Json {
  return new Copier(name, bounds, code).copy(value)
}

/**
 * Returns the result of `read`. If `read` throws, for example in a getter or a proxy of the application, `reading` throws the error that `refused`
 * makes.
 */
export function reading<T>(read: () => T, refused: (cause: unknown) => PeerplaneError): T {
  try {
    return read()
  } catch (cause) {
    throw isA(PeerplaneError, cause) ? cause : refused(cause)
  }
}

/** Freezes `value` and everything in it, and returns `value`. */
export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}

/** Sets a property of any name, including `__proto__`. */
export function setProperty(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  } else {
    object[key] = value
  }
}

class Copier {
  readonly #name: string
  readonly #bounds: PlainBounds
  readonly #code: ErrorCode
  readonly #path: (string | number)[] = []
  readonly #above: object[] = []
  #size = 0

  constructor(name: string, bounds: PlainBounds, code: ErrorCode) {
    this.#name = name
    this.#bounds = bounds
    this.#code = code
  }

  copy(value: unknown): Json {
    this.#count(1)
    switch (typeof value) {
      case 'boolean':
        return value
      case 'string':
        return this.#text(value)
      case 'number':
        if (!Number.isFinite(value)) throw this.#refuse(`is ${value}, and JSON has no such number`)
        return value === 0 ? 0 : value
      case 'object':
        return value === null ? null : this.#container(value)
      default:
        throw this.#refuse(`is ${describe(value)}, which is not JSON`)
    }
  }

  #container(value: object): Json {
    if (this.#above.length >= this.#bounds.depth) {
      const isCyclic = this.#above.includes(value)
      throw this.#refuse(
        isCyclic ? 'contains itself' : `is nested more than ${this.#bounds.depth} levels deep`,
      )
    }
    this.#above.push(value)
    const copied = this.#read(() => Array.isArray(value)) ? this.#list(value) : this.#object(value)
    this.#above.pop()
    return copied
  }

  #list(list: object): Json {
    const copied: Json[] = []
    const items = list as readonly unknown[]
    const length = this.#read(() => items.length)
    for (let i = 0; i < length; i++) {
      this.#path.push(i)
      copied.push(this.copy(this.#read(() => items[i])))
      this.#path.pop()
    }
    return copied
  }

  #object(object: object): Json {
    if (this.#read(() => object instanceof Uint8Array)) {
      throw this.#refuse('is a Uint8Array: pass toBytesValue(array) instead')
    }
    if (!this.#read(() => isPlain(object))) {
      throw this.#refuse('is an object of a class: pass its data instead')
    }
    const copied: { [key: string]: Json } = {}
    for (const key of this.#read(() => Object.keys(object))) {
      this.#path.push(key)
      const value = this.#read(() => (object as { readonly [key: string]: unknown })[key])
      if (value !== undefined) setProperty(copied, this.#text(key), this.copy(value))
      this.#path.pop()
    }
    return copied
  }

  #text(text: string): string {
    this.#count(text.length)
    if (!text.isWellFormed()) throw this.#refuse('holds half of a surrogate pair')
    return text
  }

  #read<T>(from: () => T): T {
    return reading(from, (cause) => this.#refuse('cannot be read', cause))
  }

  #count(more: number): void {
    this.#size += more
    if (this.#size <= this.#bounds.size) return
    const reason = `${this.#name} has more than ${this.#bounds.size} values and characters`
    throw new PeerplaneError('too-large', reason)
  }

  #refuse(problem: string, cause?: unknown): PeerplaneError {
    return new PeerplaneError(this.#code, `${this.#place()} ${problem}`, { cause })
  }

  #place(): string {
    const steps = this.#path.map((step) => {
      if (typeof step === 'number') return `[${step}]`
      return /^[\w$]{1,40}$/.test(step) ? `.${step}` : `[${describe(step)}]`
    })
    const shown = steps.length > 12 ? [...steps.slice(0, 11), '…'] : steps
    return this.#name + shown.join('')
  }
}

/**
 * Whether an object is a plain object, not an instance of a class. Plain objects that come from another page of the same browser are recognised as
 * well.
 */
export function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === null || prototype === Object.prototype) return true
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, 'hasOwnProperty')
  )
}
