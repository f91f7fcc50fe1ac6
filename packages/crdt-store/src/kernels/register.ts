import {
  compareTimestamps,
  freeze,
  type Json,
  type RegisterHandle,
  type Timestamp,
} from '@peerplane/core'

import { compareDots, dotsToValue, readDots, Survivors } from './dots.ts'
import { readOp } from './op.ts'
import type { OpDot } from './op-dot.ts'
import { touch, type Cell, type Kernel } from './kernel.ts'
import { items, whole } from './void.ts'
import { checkJson, copyJson } from './values.ts'

interface Written extends OpDot {
  readonly value: Json
  readonly time: Timestamp
}

interface RegisterCell extends Cell {
  readonly written: Survivors<Written>
}

/*
 *   write     [0, value, superseded dots]
 *   removal   superseded dots
 *
 * Both also supersede the earlier write of their own session.
 */

/** A last-writer-wins register. A write supersedes those that its author saw; among the others the latest by hybrid time is shown. */
export function registerKernel(initial: Json): Kernel<RegisterCell> {
  const first = copyJson(initial)
  const kernel: Kernel<RegisterCell> = {
    kind: 'register',
    create: () => ({ mirror: first, stale: false, written: new Survivors() }),

    apply(cell, op, context) {
      const [, value, superseded] = readOp(op, 'register')
      const written = { ...context.dot(), value: checkJson(value, context.bodyBytes) }
      cell.written.supersede(readDots(superseded, context.sessions), context)
      cell.written.add({ ...written, time: context.origin.time }, context)
      touch(cell, context)
    },

    remove(cell, observed, context) {
      cell.written.supersede(readDots(observed, context.sessions), context)
      touch(cell, context)
    },

    observe: ({ written }, sessions) =>
      written.size > 0 ? dotsToValue(written.sorted(), sessions) : undefined,
    isLive: ({ written }) => written.size > 0,
    isBlank: ({ written }) => written.isBlank,

    show(cell) {
      if (!cell) return first
      if (cell.stale) {
        const latest = latestOf(cell.written.values())
        cell.mirror = latest ? latest.value : first
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (place): RegisterHandle<Json> =>
      Object.freeze({
        get value() {
          return kernel.show(place.cell())
        },
        set: (value: Json) => {
          const seen = place.cell()?.written.sorted() ?? []
          place.write([0, copyJson(value), dotsToValue(seen, place.sessions)])
        },
      }),

    save({ written }, sessions) {
      const expected = written.expected(sessions)
      if (written.size === 0 && expected.length === 0) return undefined
      const live = written.sorted()
      return [
        dotsToValue(live, sessions),
        live.map(({ time: { ms, counter }, value }) => [ms, counter, value]),
        dotsToValue(expected, sessions),
      ]
    },

    load(saved, sessions) {
      const [dots, details, expected] = items(saved, 3)
      const rest = items(details)
      const live = readDots(dots, sessions).map((dot, i): Written => {
        const [ms, counter, value] = items(rest[i], 3)
        const time = { ms: whole(ms), counter: whole(counter) }
        return { ...dot, time, value: freeze(value as Json) }
      })
      const written = new Survivors(live, readDots(expected, sessions))
      return { mirror: first, stale: true, written }
    },
  }
  return kernel
}

function latestOf(written: Iterable<Written>): Written | undefined {
  let latest: Written | undefined
  for (const each of written) {
    if (!latest || (compareTimestamps(each.time, latest.time) || compareDots(each, latest)) > 0) {
      latest = each
    }
  }
  return latest
}
