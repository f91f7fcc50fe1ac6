import {
  compareTimestamps,
  equalData,
  freeze,
  type Json,
  type RegisterHandle,
  type Timestamp,
} from '@peerplane/core'

import { compareCommits, readRefs, toRefs } from './commits.ts'
import { readNames, readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import type { OpContext } from './op-context.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { Survivors, type Made } from './survivors.ts'
import { items, whole } from './void.ts'
import { checkJson, copyJson } from './values.ts'
import { weightOf } from './weight.ts'

interface Written extends Made {
  /** Frozen when it is shown: most values of a large body never are. */
  readonly value: Json
  readonly time: Timestamp
}

interface RegisterCell extends Cell {
  readonly written: Survivors<Written>
}

/*
 *   write     [0, value, superseded commits]
 *   removal   superseded commits
 *
 * Both also supersede the earlier write of their own session.
 */

/** A last-writer-wins register. A write supersedes those that its author saw; among the others the latest by hybrid time is shown. */
export function registerKernel(initial: Json): Kernel<RegisterCell> {
  const first = copyJson(initial)
  return {
    kind: 'register',
    create: () => ({ mirror: first, stale: false, written: new Survivors() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'register')
      if (fields instanceof OtherKind) return fields
      const [, value, superseded] = fields
      const { commit, origin } = context
      const written = { commit, value: checkJson(value, context.bodyBytes), time: origin.time }
      context.draft?.changes(cell, undefined, () => partsOf(cell, first, context))
      cell.written.supersede(readRefs(superseded, context.table), context)
      cell.written.add(written, context)
      touch(cell, context)
      return undefined
    },

    remove(cell, observed, context) {
      const names = readNames(observed, 'register', context.table)
      if (names instanceof OtherKind) return names
      context.draft?.changes(cell, undefined, () => partsOf(cell, first, context))
      cell.written.supersede(names, context)
      touch(cell, context)
      return undefined
    },

    observe: ({ written }, table) =>
      written.size > 0 ? toRefs(written.commits(), table) : undefined,
    isLive: ({ written }) => written.size > 0,
    isBlank: ({ written }) => written.isBlank,

    weigh({ written }) {
      let weight = written.weight
      for (const { value } of written.values()) weight += weightOf(value)
      return weight
    },

    show: (cell) => shown(cell, first),

    handle: (place) => registerHandle(place, first),

    save({ written }, table) {
      const expected = written.expected(table)
      if (written.size === 0 && expected.length === 0) return undefined
      const details = written
        .sorted()
        .map(({ time: { ms, counter }, value }) => [ms, counter, value])
      return [toRefs(written.commits(), table), details, toRefs(expected, table)]
    },

    load(saved, table) {
      const [commits, details, expected] = items(saved, 3)
      const rest = items(details)
      const live = readRefs(commits, table).map((commit, i): Written => {
        const [ms, counter, value] = items(rest[i], 3)
        const time = { ms: whole(ms), counter: whole(counter) }
        return { commit, time, value: value as Json }
      })
      const written = new Survivors(live, readRefs(expected, table))
      return { mirror: first, stale: true, written }
    },
  }
}

function registerHandle(place: CellAccess<RegisterCell>, first: Json): RegisterHandle<Json> {
  return Object.freeze({
    get value() {
      return shown(place.cell(), first)
    },
    set: (value: Json) => {
      const copy = copyJson(value)
      const cell = place.cell()
      // A value that another session has written is written again: its device can revoke it by a fork.
      const isOwn = cell?.written.size === 1 && cell.written.has(place.table.own)
      if (isOwn && equalData(copy, shown(cell, first))) return
      const seen = cell?.written.commits() ?? []
      place.write([0, copy, toRefs(seen, place.table)])
    },
  })
}

function shown(cell: RegisterCell | undefined, first: Json): Json {
  if (!cell) return first
  if (cell.stale) {
    const latest = latestOf(cell.written.values())
    cell.mirror = latest ? freeze(latest.value) : first
    cell.stale = false
  }
  return cell.mirror
}

/** What is shown, whether the session of `context` has written, and how many sessions have. */
const partsOf = (cell: RegisterCell, first: Json, { origin }: OpContext): Json[] => [
  shown(cell, first),
  cell.written.has(origin.session),
  cell.written.size,
]

function latestOf(written: Iterable<Written>): Written | undefined {
  let latest: Written | undefined
  for (const each of written) {
    if (!latest || isLater(each, latest)) latest = each
  }
  return latest
}

const isLater = (a: Written, b: Written): boolean =>
  (compareTimestamps(a.time, b.time) || compareCommits(a.commit, b.commit)) > 0
