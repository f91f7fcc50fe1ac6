import { fromBase64Url, toBase64Url } from './bytes.ts'
import { describe } from './describe.ts'
import { isA, PeerplaneError } from './errors.ts'
import type { Json } from './json.ts'
import { reading, setProperty } from './plain.ts'
import type { Value } from './value.ts'

/** Bytes as a JSON value: `$bytes` is their base64url form without padding. In commits, they are a byte string. */
export type BytesValue = { readonly $bytes: string }

/** Returns bytes as a JSON value, which can be an input, a reply, or a value in a state. */
export const toBytesValue = (bytes: Uint8Array): BytesValue => {
  if (!isA(Uint8Array, bytes)) {
    throw new PeerplaneError('invalid-input', `${describe(bytes)} is not a Uint8Array`)
  }
  return Object.freeze({ $bytes: toBase64Url(bytes) })
}

/** Inverse of {@link toBytesValue}; returns a new array. Throws `invalid-input` for anything else. */
export function fromBytesValue(value: BytesValue): Uint8Array {
  const refused = (cause?: unknown): PeerplaneError => {
    const reason = `${describe(value)} is not the form of bytes`
    return new PeerplaneError('invalid-input', reason, { cause })
  }
  const bytes = reading(() => (isObject(value) ? readBytes(value) : undefined), refused)
  if (!bytes) throw refused()
  return bytes
}

/** Whether a value is the JSON form of bytes. */
export const isBytesValue = (value: Json): value is BytesValue =>
  isObject(value) && readBytes(value) !== undefined

/** A JSON value as commits hold it: with byte strings in the place of the JSON forms of bytes. */
export function jsonToValue(json: Json): Value {
  if (!isContainer(json)) return json
  if (Array.isArray(json)) return json.map(jsonToValue)
  return readBytes(json as JsonObject) ?? mapped(json as JsonObject, jsonToValue)
}

/**
 * Inverse of {@link jsonToValue}. Returns `undefined` for a map that is the JSON form of bytes, because then one JSON value would have two forms in
 * commits.
 */
export function valueToJson(value: Value): Json | undefined {
  if (value instanceof Uint8Array) return { $bytes: toBase64Url(value) }
  if (!isContainer(value)) return value
  if (isList(value)) return allOf(value.map(valueToJson))
  const json = mapped(value as { readonly [key: string]: Value }, valueToJson)
  const isWhole = Object.values(json).every((part) => part !== undefined)
  return isWhole && !readBytes(json as JsonObject) ? (json as JsonObject) : undefined
}

type JsonObject = { readonly [key: string]: Json }

const isContainer = (value: Value): value is readonly Value[] | { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const allOf = (parts: readonly (Json | undefined)[]): Json | undefined =>
  parts.some((part) => part === undefined) ? undefined : (parts as readonly Json[])

function mapped<T, U>(
  object: { readonly [key: string]: T },
  change: (part: T) => U,
): { [key: string]: U } {
  const copy: { [key: string]: U } = {}
  for (const [key, part] of Object.entries(object)) {
    setProperty(copy as { [key: string]: Json }, key, change(part) as Json)
  }
  return copy
}

/** The bytes of a JSON form of bytes. */
function readBytes(object: JsonObject): Uint8Array | undefined {
  const { $bytes } = object
  if (typeof $bytes !== 'string' || Object.keys(object).length !== 1) return undefined
  return fromBase64Url($bytes)
}
