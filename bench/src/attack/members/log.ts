import {
  entityKey,
  markOf,
  type Batch,
  type BatchId,
  type EntityKey,
  type Random,
  type SessionId,
  type Tip,
  type WrittenSession,
} from '@peerplane/core'

/** A signed batch of one commit, after `before`; by default, it is written now. */
export function writeBatch(
  session: WrittenSession,
  before: Batch | undefined,
  content: Content | readonly Content[],
  random: Random,
  now = Date.now(),
): Promise<Batch> {
  const sections = [content].flat().map((each) => ({ modelVersion: 1, ...each }))
  return session.batch(before, [{ sections }], { random, now })
}

/** What a commit changes of one entity. */
export interface Content {
  readonly entity: EntityKey
  readonly body: Uint8Array
}

/** An entity that nobody declares. */
export const nowhere: EntityKey = entityKey('nowhere', 'n')

/** A tip that claims a batch which nobody has. */
export const lie = (session: SessionId, seq: number): Tip => ({
  session,
  seq,
  mark: markOf(session as string as BatchId),
})
