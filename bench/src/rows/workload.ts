import type { Change } from './peer.ts'

/** Transactions in one turn of the event loop. */
const TURN = 256
/** How often each row is updated; the rank it ends with. */
export const UPDATES = 3
/** Live updates, how many in a second, and over how many rows. */
export const LIVE = { updates: 2000, perSecond: 200, rows: 200 } as const

export const idOf = (index: number): string => `item-${String(index).padStart(6, '0')}`

/** W1: makes every row, then updates each, round after round. */
export function* turns(entities: number): Iterable<readonly Change[]> {
  let turn: Change[] = []
  for (let round = 0; round <= UPDATES; round++) {
    for (let index = 0; index < entities; index++) {
      turn.push(changeOf(index, round))
      if (turn.length === TURN) {
        yield turn
        turn = []
      }
    }
  }
  if (turn.length > 0) yield turn
}

const changeOf = (index: number, round: number): Change =>
  round === 0
    ? { id: idOf(index), row: { title: `Item number ${index}`, done: false, rank: 0 } }
    : { id: idOf(index), rank: round }

/** Whether these are the rows that {@link turns} ends with. */
export function areFinal(ranks: ReadonlyMap<string, number>, entities: number): boolean {
  if (ranks.size !== entities) return false
  for (let index = 0; index < entities; index++) {
    if (ranks.get(idOf(index)) !== UPDATES) return false
  }
  return true
}

/** W3: the row that the `number`-th live update changes, and the rank that names the update. */
export const liveChange = (number: number, entities: number): { id: string; rank: number } => ({
  id: idOf(number % Math.min(LIVE.rows, entities)),
  rank: LIVE_FROM + number,
})

/** The number of the live update that a rank names; negative for others. */
export const liveNumber = (rank: number): number => rank - LIVE_FROM

const LIVE_FROM = 1000
