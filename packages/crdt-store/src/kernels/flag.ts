import type { FlagHandle, FlagWins } from '@peerplane/core'

import { readRefs } from './commits.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { LatestByDevice, namesOf } from './latest-by-device.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { Void } from './void.ts'

interface FlagCell extends Cell {
  /** Whether it was enabled or disabled. */
  readonly switched: LatestByDevice<boolean>
}

/*
 *   enable   [20, names]   where disabling wins: [22, names]
 *   disable  [21, names]   where disabling wins: [23, names]
 */
const marksOf: { readonly [Wins in FlagWins]: { readonly on: number; readonly off: number } } = {
  enable: { on: 20, off: 21 },
  disable: { on: 22, off: 23 },
}

/** A flag. Enabling and disabling supersede what their author saw, so a flag is in question only among concurrent ops: then one kind of them wins. */
export function flagKernel(wins: FlagWins): Kernel<FlagCell> {
  const marks = marksOf[wins]
  return {
    kind: 'flag',
    create: () => ({ mirror: false, stale: false, switched: new LatestByDevice() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'flag')
      if (fields instanceof OtherKind) return fields
      const [mark, names] = fields
      if (mark !== marks.on && mark !== marks.off) {
        return new OtherKind('flag with another winner', 'flag')
      }
      const named = readRefs(names, context.table)
      const { session } = context.origin
      context.draft?.changes(cell, () => {
        const live = cell.switched.live()
        return [shown(cell, wins), live[0]?.commit.session === session, live.length]
      })
      cell.switched.supersede(named, context)
      cell.switched.write(mark === marks.on, context)
      touch(cell, context)
      return undefined
    },

    weigh: ({ switched }) => switched.weight,
    show: (cell) => shown(cell, wins),
    handle: (place) => flagHandle(place, wins),
    save: ({ switched }, table) => switched.save(table, (isOn) => [isOn]),

    load: (saved, table) => ({
      mirror: false,
      stale: true,
      switched: LatestByDevice.load(saved, table, ([isOn]) => {
        if (typeof isOn !== 'boolean') throw new Void('not a state of a flag')
        return isOn
      }),
    }),
  }
}

function shown(cell: FlagCell | undefined, wins: FlagWins): boolean {
  if (!cell) return false
  if (cell.stale) {
    const live = cell.switched.live()
    cell.mirror =
      wins === 'enable'
        ? live.some(({ content }) => content === true)
        : live.length > 0 && live.every(({ content }) => content === true)
    cell.stale = false
  }
  return cell.mirror as boolean
}

function flagHandle(place: CellAccess<FlagCell>, wins: FlagWins): FlagHandle {
  const { table } = place.draft
  const write = (isOn: boolean): void => {
    const live = place.cell()?.switched.live() ?? []
    // Where enabling wins, nobody has to disable what nobody has enabled; where disabling wins, it keeps a concurrent op from enabling it.
    if (live.length === 0 && !isOn && wins === 'enable') return
    const [latest, ...others] = live
    if (latest?.content === isOn && others.length === 0 && table.isOwn(latest.commit)) return
    const { on, off } = marksOf[wins]
    place.write([isOn ? on : off, namesOf(live, table)])
  }
  return Object.freeze({
    get value() {
      return shown(place.cell(), wins)
    },
    enable: () => write(true),
    disable: () => write(false),
  })
}
