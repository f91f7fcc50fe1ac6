import {
  encodeCanonical,
  hash,
  isA,
  limits,
  MAX_COUNTER,
  PeerplaneError,
  equalBytes,
  reasonOf,
  Rejected,
  type Clock,
  type EntityKey,
  type Journal,
  type JournalEvent,
  type JournalGroup,
  type JournalOutcome,
  type JournalSnapshot,
  type JournalWatermark,
  type Random,
  type SessionId,
  type Timestamp,
} from '@peerplane/core'

import { decide, type DecidableInvocation } from '../commands/decide.ts'
import type { Confirmed, StrongCommand } from './questions.ts'
import { encodeEvent, encodeOutcome, encodeSnapshot, type StrongVerdict } from './records.ts'
import { hashOf, type HeldCaller, type HeldEntity, type ShardMemory } from './shard-memory.ts'
import { originOf } from './strong-entity.ts'

/** A command with everything that its decision depends on. */
export interface Decidable {
  readonly command: StrongCommand
  /** The invocation, or the reason why its input is invalid. */
  readonly invocation: DecidableInvocation | PeerplaneError
  readonly entity: HeldEntity
  readonly caller: HeldCaller
}

export interface DecidingOptions {
  readonly journal: Pick<Journal, 'id'>
  readonly clock: Clock
  readonly random: Random
}

/**
 * Decides the commands of one group, one after the other, in memory. Everything is synchronous. If the group is not written, the memory is ahead of the
 * journal and must be forgotten.
 */
export class Deciding {
  readonly #options: DecidingOptions
  readonly #memory: ShardMemory
  readonly #events: JournalEvent[] = []
  readonly #outcomes: JournalOutcome[] = []
  readonly #watermarks = new Map<SessionId, JournalWatermark>()
  readonly #snapshots = new Map<EntityKey, JournalSnapshot & { readonly entity: EntityKey }>()
  #bytes = 0

  constructor(options: DecidingOptions, memory: ShardMemory) {
    this.#options = options
    this.#memory = memory
  }

  /** Whether the group has room for another command of any size. */
  get hasRoom(): boolean {
    return this.#bytes <= limits.journalGroupBytes / 2
  }

  get group(): JournalGroup {
    return {
      events: this.#events,
      outcomes: this.#outcomes,
      watermarks: [...this.#watermarks.values()],
      snapshots: [...this.#snapshots.values()],
    }
  }

  /** Answers a command: with an earlier decision, or with a new one. */
  answer(decidable: Decidable): Confirmed {
    const { command, caller } = decidable
    this.#confirm(command, caller)
    if (command.n <= caller.watermark) return { outcome: 'executed' }
    const hashed = hashOfCommand(command)
    const earlier = caller.outcomes.get(command.n)
    if (earlier)
      return equalBytes(earlier.command, hashed) ? earlier.verdict : { outcome: 'misused' }
    if (!isDecided(caller, command.previous)) return { outcome: 'early' }
    const verdict = this.#decide(decidable, hashed)
    const record = encodeOutcome({ command: hashed, verdict })
    caller.outcomes.set(command.n, { command: hashed, verdict })
    this.#outcomes.push({ outbox: command.outbox, n: command.n, record })
    this.#bytes += record.length
    return verdict
  }

  /** Forgets the outcomes that the caller knows. */
  #confirm({ outbox, known }: StrongCommand, caller: HeldCaller): void {
    if (known <= caller.watermark) return
    caller.watermark = known
    for (const n of caller.outcomes.keys()) if (n <= known) caller.outcomes.delete(n)
    this.#watermarks.set(outbox, { outbox, n: known })
    // An outcome of this group is known only to a caller that has invented it.
    const isKept = ({ outbox: of, n }: JournalOutcome): boolean => of !== outbox || n > known
    this.#outcomes.splice(0, Infinity, ...this.#outcomes.filter(isKept))
  }

  #decide({ command, invocation, entity }: Decidable, hashed: Uint8Array): StrongVerdict {
    try {
      if (isA(PeerplaneError, invocation)) throw invocation
      return this.#run(command, invocation, entity, hashed)
    } catch (error) {
      const { number } = entity
      if (isA(Rejected, error)) {
        return { outcome: 'rejected', number, code: error.rejection, reason: error.reason }
      }
      if (!isA(PeerplaneError, error)) throw error
      return { outcome: 'failed', number, code: error.code, reason: reasonOf(error) }
    }
  }

  #run(
    { device }: StrongCommand,
    invocation: DecidableInvocation,
    entity: HeldEntity,
    hashed: Uint8Array,
  ): StrongVerdict {
    const { journal, clock, random } = this.#options
    const time = later(entity.time, clock.now())
    const number = entity.number + 1
    const { replies, sections } = decide({
      invocations: [invocation],
      states: new Map([[entity.key, entity.state]]),
      modelVersions: new Map([[entity.key, entity.model.version]]),
      origin: originOf(journal.id, entity.key, number, time),
      context: { device, random },
    })
    const [section] = sections
    if (section) {
      const { modelVersion, body } = section
      const before = entity.last
      const record = encodeEvent({ modelVersion, time, before, command: hashed, body })
      this.#add(entity, { number, time, record, body })
    }
    return { outcome: 'ok', number: entity.number, reply: replies[0] }
  }

  #add(
    entity: HeldEntity,
    event: {
      readonly number: number
      readonly time: Timestamp
      readonly record: Uint8Array
      readonly body: Uint8Array
    },
  ): void {
    const { key } = entity
    const { number, time, record, body } = event
    entity.number = number
    entity.time = time
    entity.last = hashOf(key, record)
    entity.state.identify(this.#memory.bodyOf(entity, body))
    const position = ++this.#memory.position
    this.#events.push({ entity: key, number, position, record })
    this.#bytes += record.length
    if (number % limits.snapshotEvents === 0) this.#snapshot(entity)
  }

  #snapshot({ key, number, time, last, signature, state }: HeldEntity): void {
    const record = encodeSnapshot({ signature, time, last, state: state.snapshot() })
    // A snapshot is a cache: the next one may fit.
    if (this.#bytes + record.length > limits.journalGroupBytes / 2) return
    this.#bytes += record.length
    this.#snapshots.set(key, { entity: key, number, record })
  }
}

const isDecided = ({ watermark, outcomes }: HeldCaller, n: number): boolean =>
  n <= watermark || outcomes.has(n)

function hashOfCommand({ device, n, previous, type, id, command, input }: StrongCommand) {
  const fields = [device, n, previous, type, id, command, input === undefined ? [] : [input]]
  return hash('strong-command', encodeCanonical(fields))
}

/** The time of an event is later than that of the event before, whatever the clock of the home says. */
function later(last: Timestamp, now: number): Timestamp {
  if (now > last.ms) return { ms: now, counter: 0 }
  if (last.counter < MAX_COUNTER) return { ms: last.ms, counter: last.counter + 1 }
  return { ms: last.ms + 1, counter: 0 }
}
