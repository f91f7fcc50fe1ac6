import type { Value } from '@peerplane/core'

import type { NativeKind } from './kernel.ts'
import { readRefs, type CommitTable, type NamedCommit } from './commits.ts'
import { OtherKind } from './other-kind.ts'
import { items, Void } from './void.ts'

/*
 * Every op says which kind of state it is for, so that it is never mistaken for one of another kind. A list of three begins with a number,
 * the mark of its kind:
 *
 *   counter    by
 *   register   [0, value, superseded dots]
 *   set        [1, element, superseded dots]   [2, element, superseded dots]
 *   map        [3, key, op of the value]       [4, key, observed value]
 *   record     [field, op of the field]
 */
const marks: { readonly [Kind in NativeKind]: readonly number[] } = {
  // Known by their form alone.
  counter: [],
  record: [],
  register: [0],
  set: [1, 2],
  map: [3, 4],
}

const kinds: ReadonlyMap<unknown, string> = new Map(
  Object.entries(marks).flatMap(([kind, own]) => own.map((mark) => [mark, kind] as const)),
)

/** The items of an op for the kind `declared`; `OtherKind` for an op of another one. Throws `Void` for anything but an op. */
export function readOp(op: Value, declared: NativeKind): readonly Value[] | OtherKind {
  const written = kindOf(op)
  if (written !== declared) return new OtherKind(written, declared)
  return Array.isArray(op) ? op : [op]
}

/**
 * The places of a removal for the kind `declared`, and what was observed at each: a list of pairs, of which the second item is a list;
 * `OtherKind` for a list of another form.
 */
export function readPairs(
  observed: Value,
  declared: NativeKind,
): readonly (readonly [place: string | number, observed: Value])[] | OtherKind {
  const list = items(observed)
  const pairs: [string | number, Value][] = []
  for (let i = 0; i < list.length; i += 2) {
    const [place, inner] = list.slice(i, i + 2)
    const isPlace = typeof place === 'string' || (typeof place === 'number' && declared === 'set')
    if (!isPlace || !Array.isArray(inner)) return new OtherKind('value of another kind', declared)
    pairs.push([place, inner])
  }
  return pairs
}

/** The commits of a removal for the kind `declared`; `OtherKind` for a list of another form. */
export function readNames(
  observed: Value,
  declared: NativeKind,
  table: CommitTable,
): readonly NamedCommit[] | OtherKind {
  if (items(observed).some((item) => typeof item !== 'number')) {
    return new OtherKind('value of another kind', declared)
  }
  return readRefs(observed, table)
}

function kindOf(op: Value): string {
  if (typeof op === 'number') return 'counter'
  if (op instanceof Uint8Array) return 'document'
  const list = items(op)
  if (list.length === 2 && typeof list[0] === 'string') return 'record'
  const kind = list.length === 3 ? kinds.get(list[0]) : undefined
  if (!kind) throw new Void('an op has a form that no kernel reads')
  return kind
}
