import {
  asPeerplaneError,
  entityKey,
  isA,
  limits,
  PeerplaneError,
  reasonOf,
  type Clock,
  type Entity,
  type Journal,
  type Random,
  type Scheduler,
} from '@peerplane/core'

import { checkInvocation } from '../commands/decide.ts'
import { modelsOf } from '../space/models.ts'
import { Deciding, type Decidable } from './deciding.ts'
import {
  SealedAnswers,
  type StrongAnswer,
  type StrongCommand,
  type Undecided,
} from './questions.ts'
import { Fenced, ShardMemory } from './shard-memory.ts'
import { checkStrong } from './strong-entity.ts'

export interface HomeOptions {
  readonly journal: Journal
  /** The process that holds the leases; see {@link Journal.claim}. */
  readonly holder: string
  readonly entities: readonly Entity[]
  readonly clock: Clock
  readonly random: Random
  readonly scheduler: Scheduler
}

type Question =
  | { readonly kind: 'command'; readonly command: StrongCommand }
  | { readonly kind: 'read'; readonly type: string; readonly id: string }

type Waiting = Question & { readonly tell: (answer: StrongAnswer) => void }

/**
 * The home of one shard: it decides commands, one group after the other. While a group is being appended, questions wait; the next group takes them.
 * After anything else than a written append, the home forgets all that it has in memory and claims the shard again.
 */
export class ShardHome {
  readonly #options: HomeOptions
  readonly #shard: number
  readonly #entities: ReadonlyMap<string, Entity>
  readonly #models: ReturnType<typeof modelsOf>
  readonly #waiting: Waiting[] = []
  #memory: ShardMemory | undefined
  #renewAt = 0
  #running: Promise<void> | undefined
  #isClosed = false

  /** Throws `invalid-declaration` for entities that cannot be strong. */
  constructor(options: HomeOptions, shard: number) {
    options.entities.forEach(checkStrong)
    this.#options = options
    this.#shard = shard
    this.#entities = new Map(options.entities.map((entity) => [entity.type, entity]))
    this.#models = modelsOf(options.entities)
  }

  /** Decides a command, or repeats the decision about it. Never rejects. */
  ask(command: StrongCommand): Promise<StrongAnswer> {
    return this.#wait({ kind: 'command', command })
  }

  /** Reads an entity as it is after all commands that were answered before. Never rejects. */
  read(type: string, id: string): Promise<StrongAnswer> {
    return this.#wait({ kind: 'read', type, id })
  }

  /** Answers everything that waits, and ends the lease. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
    const memory = this.#memory
    this.#forget()
    // Ignored: the lease then ends with its time.
    if (memory) await this.#options.journal.release(memory.lease).catch(() => undefined)
  }

  #wait(question: Question): Promise<StrongAnswer> {
    if (this.#isClosed) return Promise.resolve({ outcome: 'elsewhere', holder: undefined })
    if (this.#waiting.length >= limits.homeQueue) {
      return Promise.resolve({ outcome: 'unavailable', reason: 'too many commands wait' })
    }
    return new Promise((tell) => {
      this.#waiting.push({ ...question, tell })
      this.#running ??= this.#run()
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const sealed = new SealedAnswers()
      const batch = this.#waiting.splice(0, limits.homeGroup)
      const undecided = await this.#answer(batch, sealed).catch(unavailable)
      if (!undecided) continue
      this.#forget()
      sealed.replace(undecided)
      for (const { tell } of batch) tell(undecided)
    }
    // In the same turn as the last look at what waits.
    this.#running = undefined
  }

  /** Decides and appends one group. Resolves with the reason if nothing of it counts. */
  async #answer(batch: Waiting[], sealed: SealedAnswers): Promise<Undecided | undefined> {
    const memory = await this.#leased()
    if (!(memory instanceof ShardMemory)) return memory
    const deciding = new Deciding(this.#options, memory)
    while (batch.length > 0 && deciding.hasRoom) {
      const next = batch[0]!
      sealed.add(next.tell, await this.#decide(next, memory, deciding))
      batch.shift()
    }
    const { journal } = this.#options
    const appended = await journal.append(memory.lease, deciding.group)
    if (!sealed.open(appended)) {
      const lost = { outcome: 'elsewhere', holder: undefined } as const
      return appended.outcome === 'unknown' ? unavailable(appended.cause) : lost
    }
    this.#waiting.unshift(...batch.splice(0))
    memory.trim()
    return undefined
  }

  /** What the journal holds, under a lease that is not about to end. */
  async #leased(): Promise<ShardMemory | Undecided> {
    const { journal, holder, clock } = this.#options
    const now = clock.now()
    if (this.#memory && now >= this.#renewAt) {
      if (!(await journal.renew(this.#memory.lease, limits.leaseMs))) this.#forget()
    }
    if (!this.#memory) {
      const claim = await journal.claim(this.#shard, holder, limits.leaseMs)
      if (claim.outcome === 'held') return { outcome: 'elsewhere', holder: claim.holder }
      const memory = new ShardMemory(journal, claim.lease, this.#models)
      await memory.start()
      this.#memory = memory
    }
    // Its own clock only decides when the home renews: whether the lease holds, the journal knows.
    if (now >= this.#renewAt) this.#renewAt = now + limits.leaseMs / 2
    return this.#memory
  }

  /** An entity that cannot be read does not stop the others of the group. */
  async #decide(next: Waiting, memory: ShardMemory, deciding: Deciding): Promise<StrongAnswer> {
    try {
      if (next.kind === 'command') return await this.#command(next.command, memory, deciding)
      const { number, state } = await memory.entity(entityKey(next.type, next.id))
      return { outcome: 'state', number, state: state.mirror }
    } catch (cause) {
      if (isA(PeerplaneError, cause) && isOfEntity(cause)) return unavailable(cause)
      throw cause
    }
  }

  async #command(
    command: StrongCommand,
    memory: ShardMemory,
    deciding: Deciding,
  ): Promise<StrongAnswer> {
    const caller = await memory.caller(command.outbox)
    const unconfirmed = [...caller.outcomes.keys()].filter((n) => n > command.known).length
    if (unconfirmed >= limits.unconfirmedOutcomes && !caller.outcomes.has(command.n)) {
      return { outcome: 'unavailable', reason: 'the caller has confirmed too few outcomes' }
    }
    const invocation = await this.#checked(command)
    const entity = await memory.entity(entityKey(command.type, command.id))
    return deciding.answer({ command, invocation, entity, caller })
  }

  async #checked(command: StrongCommand): Promise<Decidable['invocation']> {
    try {
      const checked = checkInvocation(this.#entities, this.#options.scheduler, command)
      return { ...checked, input: (await checked.input).value }
    } catch (cause) {
      const error = asPeerplaneError(cause, 'handler-failed')
      if (isOfEntity(error)) throw error
      return error
    }
  }

  #forget(): void {
    this.#memory?.close()
    this.#memory = undefined
  }
}

/** Whether this home cannot decide about one entity; a home with another version of the app may be able to. */
const isOfEntity = ({ code }: PeerplaneError): boolean =>
  code === 'unknown-entity' ||
  code === 'unknown-command' ||
  code === 'needs-update' ||
  code === 'unreadable' ||
  code === 'store-corrupt'

const unavailable = (cause: unknown): Undecided =>
  isA(Fenced, cause)
    ? { outcome: 'elsewhere', holder: undefined }
    : { outcome: 'unavailable', reason: reasonOf(cause) }
