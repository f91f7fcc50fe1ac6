import type { Value } from '@peerplane/core'

import type { NativeKind } from './kernel.ts'
import { OtherKind } from './other-kind.ts'
import { items, Void } from './void.ts'

/*
 * Every op says which kind of state it is for, so that it is never mistaken for one of another kind. Most begin with a number, the mark of
 * their kind:
 *
 *   counter    by
 *   register   [0, value, names, clock?]
 *   set        [1, element, generation?]            [2, element, names or null, generation?]
 *   map        [3, key, op of the value, generation?]   [4, key, names or null, generation?]   [5, key, generation?]
 *   list       [10, spot …]   [11, op of the value, id …]   [12, names, id …, spot …]   [13, names or null, id …]
 *   tree       [15, parent, rank]   [16, node, parent, rank, names]   [17, node, op of the value]   [18, node, names or null]   [19, node]
 *   record     [field, op of the field]
 *   flag       [20, names]   [21, names]   [22, names]   [23, names]
 *   vote       [24, vote]
 *   multi-value register   [25, value, names]
 *   grow-only counter      [26, by]
 *   grow-only set          [27, element]
 *   text       [30, text, spot …]   [31, range …]
 */
interface Form {
  readonly mark: number
  readonly kind: NativeKind
  /** How many items it has, the mark included. */
  readonly min: number
  readonly max: number
  /** It removes something, and so it does not touch the entries around it. */
  readonly isRemoval?: true
  /** The place of an op for a state inside this one. */
  readonly inner?: number
}

const forms: readonly Form[] = [
  { mark: 0, kind: 'register', min: 3, max: 4 },
  { mark: 1, kind: 'set', min: 2, max: 3 },
  { mark: 2, kind: 'set', min: 3, max: 4, isRemoval: true },
  { mark: 3, kind: 'map', min: 3, max: 4, inner: 2 },
  { mark: 4, kind: 'map', min: 3, max: 4, isRemoval: true },
  { mark: 5, kind: 'map', min: 2, max: 3 },
  { mark: 10, kind: 'list', min: 1, max: 4 },
  { mark: 11, kind: 'list', min: 4, max: 4, inner: 1 },
  { mark: 12, kind: 'list', min: 4, max: 7 },
  { mark: 13, kind: 'list', min: 4, max: 4, isRemoval: true },
  { mark: 20, kind: 'flag', min: 2, max: 2 },
  { mark: 21, kind: 'flag', min: 2, max: 2 },
  { mark: 22, kind: 'flag', min: 2, max: 2 },
  { mark: 23, kind: 'flag', min: 2, max: 2 },
  { mark: 24, kind: 'vote', min: 2, max: 2 },
  { mark: 25, kind: 'multi-value-register', min: 3, max: 3 },
  { mark: 26, kind: 'grow-only-counter', min: 2, max: 2 },
  { mark: 27, kind: 'grow-only-set', min: 2, max: 2 },
  { mark: 30, kind: 'text', min: 2, max: 5 },
  { mark: 31, kind: 'text', min: 5, max: Number.POSITIVE_INFINITY, isRemoval: true },
  { mark: 15, kind: 'tree', min: 3, max: 3 },
  { mark: 16, kind: 'tree', min: 5, max: 5 },
  { mark: 17, kind: 'tree', min: 3, max: 3, inner: 2 },
  { mark: 18, kind: 'tree', min: 3, max: 3, isRemoval: true },
  { mark: 19, kind: 'tree', min: 2, max: 2 },
]

const byMark: ReadonlyMap<unknown, Form> = new Map(forms.map((form) => [form.mark, form]))

/** The items of an op for the kind `declared`; `OtherKind` for an op of another one. Throws `Void` for anything but an op. */
export function readOp(op: Value, declared: NativeKind): readonly Value[] | OtherKind {
  if (typeof op === 'number')
    return declared === 'counter' ? [op] : new OtherKind('counter', declared)
  if (op instanceof Uint8Array) return new OtherKind('document', declared)
  const list = items(op)
  if (list.length === 2 && typeof list[0] === 'string') {
    return declared === 'record' ? list : new OtherKind('record', declared)
  }
  const form = byMark.get(list[0])
  if (!form) throw new Void('an op has a form that no kernel reads')
  if (form.kind !== declared) return new OtherKind(form.kind, declared)
  if (list.length < form.min || list.length > form.max) throw new Void('an op has another length')
  return list
}

/** Whether the innermost op of `op` is a removal. It does not say whether `op` breaks a rule. */
export function isRemoval(op: Value | undefined): boolean {
  let inner = op
  while (Array.isArray(inner)) {
    const list: readonly Value[] = inner
    if (typeof list[0] === 'string') inner = list[1]
    else {
      const form = byMark.get(list[0])
      if (form?.inner === undefined) return form?.isRemoval ?? false
      inner = list[form.inner]
    }
  }
  return false
}
