import {
  describe,
  freeze,
  jsonToValue,
  PeerplaneError,
  type AutoIncrementHandle,
  type Json,
  type RegisterClock,
  type RegisterHandle,
} from '@peerplane/core'

import { readRefs } from './commits.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { isWritten, LatestByDevice, namesOf, type LatestOp } from './latest-by-device.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import {
  byClock,
  formOf,
  LAST_CLOCK,
  readForm,
  type ClockForm,
  type ClockedValue,
} from './register-clock.ts'
import { items, whole } from './void.ts'
import { checkJson, copyJson } from './values.ts'
import { weightOf } from './weight.ts'

interface RegisterCell extends Cell {
  readonly written: LatestByDevice<ClockedValue>
}

/*
 *   write     [0, value, names]   with the reverse clock: [0, value, names, null]   with a custom clock: [0, value, names, clock]
 */

/** A register. A write supersedes those that its author saw, with every clock; among the others the clock decides which is shown. */
export function registerKernel(
  initial: Json,
  clock: RegisterClock = 'default',
): Kernel<RegisterCell> {
  const first = copyJson(initial)
  const form = formOf(clock)
  const show = (cell: RegisterCell | undefined): Json => shown(cell, first, form)
  return {
    kind: 'register',
    create: () => ({ mirror: first, stale: false, written: new LatestByDevice() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'register')
      if (fields instanceof OtherKind) return fields
      const [, value, names, after] = fields
      const written = readForm(after)
      if (written !== form) return new OtherKind(nameOf(written), nameOf(form))
      const own = form === 'custom' ? whole(after) : 0
      const content = { value: checkJson(value, context.bodyBytes), clock: own }
      const named = readRefs(names, context.table)
      const { session } = context.origin
      context.draft?.changes(cell, () => {
        const [latest, ...others] = byClock(cell.written.live(), form)
        const isOwn = latest?.commit.session === session
        return [show(cell), isOwn, latest?.content?.clock ?? null, others.length]
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

    show,
    handle: (place) => registerHandle(place, show, clock),

    save: ({ written }, table) =>
      written.save(table, (content) =>
        form === 'custom' ? [content.value, content.clock] : [content.value],
      ),

    load(saved, table) {
      const written = LatestByDevice.load(saved, table, (fields): ClockedValue => {
        const [value, custom = 0] = items(fields, form === 'custom' ? 2 : 1)
        return { value: value as Json, clock: whole(custom) }
      })
      return { mirror: first, stale: true, written }
    },
  }
}

const nameOf = (form: ClockForm): string =>
  form === 'default' ? 'register' : `register with the clock "${form}"`

type Show = (cell: RegisterCell | undefined) => Json

function registerHandle(
  place: CellAccess<RegisterCell>,
  show: Show,
  clock: RegisterClock,
): RegisterHandle<Json> | AutoIncrementHandle<Json> {
  if (formOf(clock) === 'custom') {
    return customClockHandle(place, show, clock === 'custom-auto-increment')
  }
  return Object.freeze({
    get value() {
      return show(place.cell())
    },
    set: (value: Json) => {
      const copy = copyJson(value)
      const seen = place.cell()?.written.live() ?? []
      if (clock === 'reverse' && seen.length > 0) return
      if (isWritten(copy, seen, place.draft.table)) return
      const after = clock === 'reverse' ? [null] : []
      place.write([0, jsonToValue(copy), namesOf(seen, place.draft.table), ...after])
    },
  })
}

function customClockHandle(
  place: CellAccess<RegisterCell>,
  show: Show,
  isIncremented: boolean,
): AutoIncrementHandle<Json> {
  const live = (): readonly LatestOp<ClockedValue>[] =>
    byClock(place.cell()?.written.live() ?? [], 'custom')
  return Object.freeze({
    get value() {
      return show(place.cell())
    },
    get clock() {
      return live()[0]?.content?.clock
    },
    set: (value: Json, given?: number) => {
      const copy = copyJson(value)
      const clock = isIncremented && given === undefined ? 0 : checkClock(given)
      const seen = live()
      const before = seen[0]?.content?.clock ?? -1
      if (clock < before && !isIncremented) return
      if (clock <= before && isWritten(copy, seen, place.draft.table)) return
      const next = isIncremented ? Math.min(Math.max(clock, before + 1), LAST_CLOCK) : clock
      place.write([0, jsonToValue(copy), namesOf(seen, place.draft.table), next])
    },
  })
}

function checkClock(clock: unknown): number {
  if (Number.isSafeInteger(clock) && (clock as number) >= 0) return clock as number
  const reason = `a clock is a whole number from 0 to 2^53 - 1, not ${describe(clock)}`
  throw new PeerplaneError('invalid-input', reason)
}

function shown(cell: RegisterCell | undefined, first: Json, form: ClockForm): Json {
  if (!cell) return first
  if (cell.stale) {
    const [latest] = byClock(cell.written.live(), form)
    cell.mirror = latest ? freeze(latest.content!.value) : first
    cell.stale = false
  }
  return cell.mirror
}
