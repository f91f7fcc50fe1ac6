import { firstSeq, lastSeq, weightOf } from '@peerplane/core'
import type { ForkProof, SessionId, Store, Write } from '@peerplane/core'

import { admissionKey, batchKey, openingKey, reachKey, tipKey } from '../storage/keys.ts'
import {
  encodeList,
  encodeReach,
  encodeStoredBatch,
  encodeTip,
  type SignatureState,
  type StoredTip,
} from '../storage/records.ts'
import type { EncodedBatch } from './decode-run.ts'
import { forkWrite } from './forks.ts'
import type { VerifiedOpening } from './opening-verifier.ts'
import { emptyTip, reachUpTo, type HeldSession, type Sessions } from './sessions.ts'

/** A batch as it is to be stored. */
export interface StoredForm extends EncodedBatch {
  readonly signature: SignatureState
}

/** What is stored of a session, in one piece. */
export interface News {
  readonly session: SessionId
  /** Of a session of which nothing is stored yet. */
  readonly opening: VerifiedOpening | undefined
  /** The next batches. */
  readonly forms: readonly StoredForm[]
  /** Follows them, or takes the place of something that is held. */
  readonly fork: ForkProof | undefined
}

/** Stores in one write what is new of some sessions, and whatever reach is not written yet. */
export async function persist(
  news: readonly News[],
  { store, sessions }: { readonly store: Store; readonly sessions: Sessions },
): Promise<HeldSession[]> {
  const dirty = sessions.takeDirty()
  const writes = news.flatMap((each) => writesOf(each, sessions))
  try {
    await store.write([...dirty.writes, ...writes], 'synced')
  } catch (error) {
    sessions.unwritten(dirty.sessions)
    throw error
  }
  return news.map((each) => hold(each, sessions))
}

function writesOf(news: News, sessions: Sessions): Write[] {
  const { session, opening, forms, fork } = news
  const known = sessions.get(session)
  const tip = tipOf(news, known)
  return [
    ...(opening ? openingWrites(opening) : []),
    ...forms.map(batchWrite),
    { key: tipKey(session), value: encodeTip(tip) },
    ...(fork ? [forkWrite(fork)] : []),
    ...(fork && known
      ? [{ key: reachKey(session), value: encodeReach(reachUpTo(known.reach, tip)) }]
      : []),
  ]
}

function hold(news: News, sessions: Sessions): HeldSession {
  const { session, opening, fork } = news
  const known = sessions.get(session)
  const tip = tipOf(news, known)
  const held = known ?? sessions.add({ id: session, ...originOf(opening!), stored: tip })
  if (fork) sessions.fork(held, fork, tip)
  else sessions.extend(held, tip)
  return held
}

/** Up to where the session is stored then. */
function tipOf({ opening, forms, fork }: News, known: HeldSession | undefined): StoredTip {
  const last = forms.at(-1)?.batch
  if (last) return { seq: lastSeq(last), batch: last.id }
  if (fork) return { seq: fork.seq - 1, batch: fork.previous }
  return known?.stored ?? emptyTip(opening!.first)
}

const originOf = ({
  opening,
  isUnderstood,
  first,
}: VerifiedOpening): Omit<HeldSession, 'id' | 'stored' | 'reach' | 'fork'> => ({
  device: opening.device,
  parents: opening.parents,
  start: opening.start,
  isUnderstood,
  first,
})

function openingWrites(opening: VerifiedOpening): Write[] {
  const { session, bytes, chain } = opening
  return [
    { key: openingKey(session), value: bytes },
    ...(chain ? [{ key: admissionKey(opening.opening.admission), value: encodeList(chain) }] : []),
  ]
}

const batchWrite = ({ batch, encoded, signature }: StoredForm): Write => ({
  key: batchKey(batch.session, firstSeq(batch)),
  value: encodeStoredBatch({
    commits: batch.commits.length,
    weight: weightOf(batch, encoded),
    previous: batch.previous,
    signature,
    encoded,
  }),
})
