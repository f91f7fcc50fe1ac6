import { decodeCanonical, PeerplaneError, type StateModel, type Wins } from '@peerplane/core'

import { Blank, DeletableState } from './deletable-state.ts'
import type { WholeContent } from './whole-content.ts'

/** What is left of an entity that one device deletes while another device changes it. */
export interface WinsOption {
  readonly wins?: Wins
}

/** Makes the state model of a kind of state that is deleted as a whole. */
export function wholeModel(kind: WholeContent, { wins = 'update' }: WinsOption): StateModel {
  const blank = new Blank(kind)
  const closes = wins === 'removal'
  return {
    version: kind.version,
    open: async (snapshot, entity) => {
      const place = { kind, blank, closes, entity }
      if (!snapshot) return DeletableState.empty(place)
      try {
        return DeletableState.load(place, decodeCanonical(snapshot))
      } catch (cause) {
        throw new PeerplaneError('unreadable', 'the stored state is damaged', { cause })
      }
    },
  }
}
