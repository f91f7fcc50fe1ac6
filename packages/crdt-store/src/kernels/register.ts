import { equalData, freeze, limits, type Json, type RegisterHandle } from '@peerplane/core'

import { readRefs, toRefs } from './commits.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { LatestByDevice } from './latest-by-device.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { items } from './void.ts'
import { checkJson, copyJson } from './values.ts'
import { weightOf } from './weight.ts'

/** A value in a box, because a value can be anything. It is frozen when it is shown: most values of a large body never are. */
interface Boxed {
  readonly value: Json
}

interface RegisterCell extends Cell {
  readonly written: LatestByDevice<Boxed>
}

/*
 *   write     [0, value, names]
 */

/** A last-writer-wins register. A write supersedes those that its author saw; among the others the latest by hybrid time is shown. */
export function registerKernel(initial: Json): Kernel<RegisterCell> {
  const first = copyJson(initial)
  return {
    kind: 'register',
    create: () => ({ mirror: first, stale: false, written: new LatestByDevice() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'register')
      if (fields instanceof OtherKind) return fields
      const [, value, names] = fields
      const content = { value: checkJson(value, context.bodyBytes) }
      const named = readRefs(names, context.table)
      const { session } = context.origin
      context.draft?.changes(cell, undefined, () => {
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

    handle: (place) => registerHandle(place, first),

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

function registerHandle(place: CellAccess<RegisterCell>, first: Json): RegisterHandle<Json> {
  const { table } = place.draft
  return Object.freeze({
    get value() {
      return shown(place.cell(), first)
    },
    set: (value: Json) => {
      const copy = copyJson(value)
      const cell = place.cell()
      const live = cell?.written.live() ?? []
      // A value that another session has written is written again: its device can revoke it by a fork.
      const isOwn = live.length === 1 && live[0]!.commit.session === table.own?.session
      if (isOwn && equalData(copy, shown(cell, first))) return
      const seen = live.slice(0, limits.namesPerOp).map(({ commit }) => commit)
      place.write([0, copy, toRefs(seen, table)])
    },
  })
}

function shown(cell: RegisterCell | undefined, first: Json): Json {
  if (!cell) return first
  if (cell.stale) {
    const [latest] = cell.written.live()
    cell.mirror = latest ? freeze(latest.content!.value) : first
    cell.stale = false
  }
  return cell.mirror
}
