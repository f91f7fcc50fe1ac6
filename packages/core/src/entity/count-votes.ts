import { PeerplaneError } from '../errors.ts'
import { reading } from '../plain.ts'
import type { Votes } from './shapes.ts'

/** The result of counting votes. */
export interface VoteCount {
  /** How many devices are counted. */
  readonly voters: number
  /** How many of them have voted for. */
  readonly votesFor: number
}

/**
 * Counts votes: of all devices that have voted, or only of `devices`, such as the admitted devices of a space or the devices that are present. Of
 * `devices`, a device that has not voted is counted as a voter. Throws `invalid-input` if `votes` is not the state of a vote.
 */
export function countVotes(votes: Votes, devices?: Iterable<string>): VoteCount {
  return reading(
    () => {
      if (typeof votes !== 'object' || votes === null || Array.isArray(votes)) throw notVotes()
      const counted = devices === undefined ? Object.keys(votes) : [...new Set(devices)]
      const votesFor = counted.filter((device) => Object.hasOwn(votes, device) && votes[device])
      return { voters: counted.length, votesFor: votesFor.length }
    },
    () => notVotes(),
  )
}

const notVotes = (): PeerplaneError =>
  new PeerplaneError('invalid-input', 'countVotes needs the state of a vote, and a list of devices')
