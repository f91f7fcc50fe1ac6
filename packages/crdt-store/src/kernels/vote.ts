import {
  compareTexts,
  describe,
  fromHex,
  PeerplaneError,
  setProperty,
  toHex,
  type DeviceId,
  type Json,
  type VoteHandle,
  type Votes,
} from '@peerplane/core'

import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { LatestByDevice } from './latest-by-device.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { items, Void } from './void.ts'
import { PART_BYTES } from './weight.ts'

interface Voted {
  readonly device: DeviceId
  readonly vote: boolean
}

interface VoteCell extends Cell {
  readonly voted: LatestByDevice<Voted>
}

/*
 *   vote   [24, whether it is for]
 */

/** One vote of each device, which nobody else can change. */
export const voteKernel: Kernel<VoteCell> = {
  kind: 'vote',
  create: () => ({ mirror: none, stale: false, voted: new LatestByDevice() }),

  apply(cell, op, context) {
    const fields = readOp(op, 'vote')
    if (fields instanceof OtherKind) return fields
    const vote = fields[1]
    if (typeof vote !== 'boolean') throw new Void('a vote is true or false')
    const { device } = context.origin
    context.draft?.changesPart(cell, device, () => votesOf(cell)[device] ?? null)
    cell.voted.write({ device, vote }, context)
    touch(cell, context)
    return undefined
  },

  weigh: ({ voted }) => voted.weight + voted.live().length * PART_BYTES,
  show: (cell) => (cell ? votesOf(cell) : none),
  handle: (place) => voteHandle(place),
  save: ({ voted }, table) => voted.save(table, ({ device, vote }) => [fromHex(device), vote]),

  load: (saved, table) => ({
    mirror: none,
    stale: true,
    voted: LatestByDevice.load(saved, table, (fields): Voted => {
      const [device, vote] = items(fields, 2)
      const isDevice = device instanceof Uint8Array && device.length === DEVICE_BYTES
      if (!isDevice || typeof vote !== 'boolean') throw new Void('not a vote')
      return { device: toHex(device) as DeviceId, vote }
    }),
  }),
}

/** Of a device id. */
const DEVICE_BYTES = 32

const none: Votes = Object.freeze({})

function votesOf(cell: VoteCell): Votes {
  if (cell.stale) {
    const before = cell.mirror as Votes
    const list = cell.voted.live().map(({ content }) => content!)
    const isSame =
      list.length === Object.keys(before).length &&
      list.every(({ device, vote }) => before[device] === vote)
    if (!isSame) cell.mirror = votes(list)
    cell.stale = false
  }
  return cell.mirror as Votes
}

function votes(list: Voted[]): Votes {
  const shown: { [device: string]: Json } = {}
  list.sort((a, b) => compareTexts(a.device, b.device))
  for (const { device, vote } of list) setProperty(shown, device, vote)
  return Object.freeze(shown) as Votes
}

function voteHandle(place: CellAccess<VoteCell>): VoteHandle {
  const all = (): Votes => {
    const cell = place.cell()
    return cell ? votesOf(cell) : none
  }
  const selfVote = (): boolean | undefined => all()[place.draft.table.own!.device]
  return Object.freeze({
    get votes() {
      return all()
    },
    get selfVote() {
      return selfVote()
    },
    get votesFor() {
      return Object.values(all()).filter((vote) => vote).length
    },
    get voters() {
      return Object.keys(all()).length
    },
    vote: (vote: boolean) => {
      if (typeof vote !== 'boolean') {
        throw new PeerplaneError('invalid-input', `a vote is true or false, not ${describe(vote)}`)
      }
      if (selfVote() !== vote) place.write([24, vote])
    },
  })
}
