import {
  encodeCanonical,
  equalData,
  freeze,
  jsonToValue,
  toHex,
  type Json,
  type MultiValueRegisterHandle,
} from '@peerplane/core'

import { readRefs } from './commits.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { isWritten, LatestByDevice, namesOf } from './latest-by-device.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { items } from './void.ts'
import { checkJson, copyJson } from './values.ts'
import { weightOf } from './weight.ts'

/** A value in a box, because a value can be anything. */
interface Boxed {
  readonly value: Json
}

interface MultiValueCell extends Cell {
  readonly written: LatestByDevice<Boxed>
}

/*
 *   write   [25, value, names]
 */

/** A multi-value register: it shows all values that no write of somebody who saw them has superseded. */
export function multiValueRegisterKernel(initial: Json): Kernel<MultiValueCell> {
  const first: Json = Object.freeze([copyJson(initial)])
  return {
    kind: 'multi-value-register',
    create: () => ({ mirror: first, stale: false, written: new LatestByDevice() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'multi-value-register')
      if (fields instanceof OtherKind) return fields
      const [, value, names] = fields
      const content = { value: checkJson(value, context.bodyBytes) }
      const named = readRefs(names, context.table)
      const { session } = context.origin
      context.draft?.changes(cell, () => {
        const live = cell.written.live()
        return [shown(cell, first), live[0]?.commit.session === session, live.length]
      })
      cell.written.supersede(named, context)
      cell.written.write(content, context)
      touch(cell, context)
      return undefined
    },

    weigh({ written }) {
      let { weight } = written
      for (const { content } of written.live()) weight += weightOf(content!.value)
      return weight
    },

    show: (cell) => shown(cell, first),
    handle: (place) => multiValueRegisterHandle(place, first),
    save: ({ written }, table) => written.save(table, ({ value }) => [value]),

    load(saved, table) {
      const written = LatestByDevice.load(saved, table, (fields): Boxed => {
        const [value] = items(fields, 1)
        return { value: value as Json }
      })
      return { mirror: first, stale: true, written }
    },
  }
}

function multiValueRegisterHandle(
  place: CellAccess<MultiValueCell>,
  first: Json,
): MultiValueRegisterHandle<Json> {
  const { table } = place.draft
  return Object.freeze({
    get values() {
      return shown(place.cell(), first) as readonly Json[]
    },
    set: (value: Json) => {
      const copy = copyJson(value)
      const live = place.cell()?.written.live() ?? []
      if (isWritten(copy, live, table)) return
      place.write([25, jsonToValue(copy), namesOf(live, table)])
    },
  })
}

function shown(cell: MultiValueCell | undefined, first: Json): Json {
  if (!cell) return first
  if (cell.stale) {
    const values = distinct(cell.written.live().map(({ content }) => content!.value))
    const now: Json = values.length > 0 ? values : first
    if (!equalData(now, cell.mirror)) cell.mirror = freeze(now)
    cell.stale = false
  }
  return cell.mirror
}

/** Each value once, at its first place. */
function distinct(values: readonly Json[]): readonly Json[] {
  if (values.length < 2) return values
  return [...new Map(values.map((value) => [toHex(encodeCanonical(value)), value])).values()]
}
