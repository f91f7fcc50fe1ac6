import { readActor, readChunk } from './change-chunk.ts'
import { readPlaces, readSizes, spec, type OperationColumns } from './columns.ts'
import { countRows, numbers } from './run-length.ts'

/** The operations that a saved document holds, in the order of the document. */
export interface SavedOperations extends Pick<
  OperationColumns,
  | 'count'
  | 'objectActor'
  | 'objectCounter'
  | 'keyActor'
  | 'keyCounter'
  | 'keyText'
  | 'insert'
  | 'action'
> {
  /** Hexadecimal; actors of operations are places in this list. */
  readonly actors: readonly string[]
  readonly actor: Int32Array
  readonly counter: Int32Array
  /** By how many operations each was replaced or deleted; which ones stand one after the other. */
  readonly replacedBy: Int32Array
  readonly successorActor: Int32Array
  readonly successorCounter: Int32Array
}

/**
 * Reads the operations of what Automerge has just saved, uncompressed, on this device. Throws for bytes of another form.
 *
 * Source of the format: Automerge binary format specification, section "Document chunk".
 */
export function readSaved(bytes: Uint8Array): SavedOperations {
  const body = readChunk(bytes, DOCUMENT_CHUNK)
  const actors = Array.from({ length: body.unsigned() }, () => readActor(body))
  body.take(32 * body.unsigned())
  const changeSizes = readSizes(body, changeSpecs)
  const operationSizes = readSizes(body, operationSpecs)
  for (const [, size] of changeSizes) body.take(size)
  const columns = new Map(operationSizes.map(([each, size]) => [each, body.take(size)]))
  const column = (each: number): Uint8Array => columns.get(each) ?? EMPTY
  const count = countRows(column(spec.action), Infinity)
  const replacedBy = numbers(column(SUCCESSORS), count).map((each) => Math.max(0, each))
  const successors = replacedBy.reduce((sum, each) => sum + each, 0)
  return {
    count,
    actors,
    actor: numbers(column(ID_ACTOR), count),
    counter: numbers(column(ID_COUNTER), count, true),
    ...readPlaces(column, count),
    action: numbers(column(spec.action), count),
    replacedBy,
    successorActor: numbers(column(SUCCESSOR_ACTOR), successors),
    successorCounter: numbers(column(SUCCESSOR_COUNTER), successors, true),
  }
}

const EMPTY = new Uint8Array(0)
const DOCUMENT_CHUNK = 0
const ID_ACTOR = 0x21
const ID_COUNTER = 0x23
const SUCCESSORS = 0x80
const SUCCESSOR_ACTOR = 0x81
const SUCCESSOR_COUNTER = 0x83
const operationSpecs: ReadonlySet<number> = new Set([
  ...Object.values(spec),
  ID_ACTOR,
  ID_COUNTER,
  SUCCESSORS,
  SUCCESSOR_ACTOR,
  SUCCESSOR_COUNTER,
])
/** Actor, number, last operation, time, message, dependencies, extra bytes. */
const changeSpecs: ReadonlySet<number> = new Set([
  0x01, 0x03, 0x13, 0x23, 0x35, 0x40, 0x43, 0x56, 0x57,
])
