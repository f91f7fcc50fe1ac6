import {
  describe,
  equalData,
  PeerplaneError,
  type Json,
  type LensEvents,
  type StateBranch,
  type StateLens,
} from '@peerplane/core'

import { canonical } from './converted.ts'
import { Mirrors } from './mirrors.ts'

/** The handle of a value or of events. */
export interface WriterHandle {
  readonly value: Json
  readonly branches: readonly StateBranch<Json>[]
  choose(key: string): void
  set(value: Json): void
  emit(name: string, event: Json): void
}

/** What a handler gets for a state that one device writes, and whose stored handle is `stored`. */
export function stateHandle(lens: StateLens, stored: WriterHandle): object {
  const mirrors = Mirrors.through(lens)
  const base = {
    get value(): Json {
      return mirrors.of(stored.value).mirror
    },
    get branches(): readonly StateBranch<Json>[] {
      return Object.freeze(stored.branches.map((branch) => shownBranch(branch, mirrors)))
    },
    choose: (key: string) => stored.choose(key),
  }
  const write = lens.events
    ? { emit: emitting(lens.events, stored, mirrors) }
    : { set: setting(lens, stored, mirrors) }
  return Object.freeze(Object.defineProperties(write, Object.getOwnPropertyDescriptors(base)))
}

function shownBranch(branch: StateBranch<Json>, mirrors: Mirrors): StateBranch<Json> {
  const { mirror, problem } = mirrors.of(branch.value)
  const incomplete = branch.incomplete || problem !== undefined
  return Object.freeze({ ...branch, value: mirror, incomplete })
}

const setting =
  (lens: StateLens, stored: WriterHandle, mirrors: Mirrors) =>
  (given: unknown): void => {
    const value = canonical(given)
    const before = stored.value
    const { mirror, problem } = mirrors.of(before)
    if (problem === undefined && equalData(value, mirror)) return
    const down = canonical(lens.down(value, before))
    requireKept(mirrors, down, value)
    stored.set(down)
  }

const emitting =
  ({ folds, storedFolds, store }: LensEvents, stored: WriterHandle, mirrors: Mirrors) =>
  (name: string, given: unknown = null): void => {
    const fold = folds.get(name)
    if (!fold) {
      throw new PeerplaneError('invalid-input', `no event is declared as ${describe(name)}`)
    }
    const event = canonical(given)
    const before = stored.value
    const { mirror, problem } = mirrors.of(before)
    if (problem !== undefined) throw invalid(problem)
    const [storedName, converted] = store(name, event)
    const storedEvent = canonical(converted)
    // Nothing is written before it is known that nothing is lost.
    const after = canonical(storedFolds.get(storedName)!(before, storedEvent))
    requireKept(mirrors, after, canonical(fold(mirror, event)))
    stored.emit(storedName, storedEvent)
  }

/** Only the stored state is kept, so the declared state must follow from it. */
function requireKept(mirrors: Mirrors, stored: Json, shown: Json): void {
  const { mirror, problem } = mirrors.of(stored)
  if (problem !== undefined) throw invalid(problem)
  if (equalData(mirror, shown)) return
  throw invalid(
    'the migrations lose a part of what a command has written: `up` gives another state',
  )
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)
