import {
  equalBytes,
  JOURNAL_SHARDS,
  limits,
  PeerplaneError,
  type Appended,
  type Clock,
  type EntityKey,
  type Journal,
  type JournalEvent,
  type JournalGroup,
  type JournalOutcome,
  type JournalSnapshot,
  type Lease,
  type Random,
  type SessionId,
  type UnderLease,
} from '@peerplane/core'

/** What happens to the next append: its answer is lost before or after it is written. */
export type JournalFault = 'lost-before' | 'lost-after' | undefined

/** The contents of a simulated journal, which several connections share. */
export class SimulatedDatabase {
  readonly id: string
  readonly clock: Clock
  readonly random: Random
  readonly leases = Array.from({ length: JOURNAL_SHARDS }, (_, shard) => ({
    lease: { shard, token: 0, nonce: new Uint8Array() } as Lease,
    holder: '',
    until: 0,
  }))
  events: { readonly shard: number; readonly event: JournalEvent }[] = []
  outcomes: { readonly shard: number; readonly outcome: JournalOutcome }[] = []
  readonly watermarks = new Map<string, number>()
  readonly snapshots = new Map<EntityKey, JournalSnapshot>()
  /** Called before each append. */
  fault: () => JournalFault | Promise<JournalFault> = () => undefined
  /** The number of events that were read. */
  eventsRead = 0

  constructor(id: string, clock: Clock, random: Random) {
    this.id = id
    this.clock = clock
    this.random = random
  }

  open(): Journal {
    return new SimulatedJournal(this)
  }

  holds({ shard, token, nonce }: Lease): boolean {
    const { lease } = this.leases[shard]!
    return lease.token === token && equalBytes(lease.nonce, nonce)
  }

  write(shard: number, group: JournalGroup): void {
    const exists =
      group.events.some(({ entity, number, position }) =>
        this.events.some(
          (old) =>
            (old.event.entity === entity && old.event.number === number) ||
            (old.shard === shard && old.event.position === position),
        ),
      ) ||
      group.outcomes.some(({ outbox, n }) =>
        this.outcomes.some(
          (old) => old.shard === shard && old.outcome.outbox === outbox && old.outcome.n === n,
        ),
      )
    if (exists) throw new PeerplaneError('store-failed', 'a row exists already')
    this.events.push(...group.events.map((event) => ({ shard, event })))
    this.outcomes.push(...group.outcomes.map((outcome) => ({ shard, outcome })))
    for (const { outbox, n } of group.watermarks) {
      const key = `${shard}/${outbox}`
      this.watermarks.set(key, Math.max(n, this.watermarks.get(key) ?? 0))
      this.outcomes = this.outcomes.filter(
        (old) => old.shard !== shard || old.outcome.outbox !== outbox || old.outcome.n > n,
      )
    }
    for (const { entity, number, record } of group.snapshots) {
      if ((this.snapshots.get(entity)?.number ?? 0) < number) {
        this.snapshots.set(entity, { number, record })
      }
    }
  }
}

class SimulatedJournal implements Journal {
  readonly id: string
  readonly #database: SimulatedDatabase
  #isClosed = false

  constructor(database: SimulatedDatabase) {
    this.id = database.id
    this.#database = database
  }

  async claim(shard: number, holder: string, ms: number) {
    this.#requireOpen()
    const { leases, clock, random } = this.#database
    const row = leases[shard]!
    if (row.holder !== holder && row.until > clock.now()) {
      return { outcome: 'held', holder: row.holder } as const
    }
    const lease = { shard, token: row.lease.token + 1, nonce: random.bytes(16) }
    leases[shard] = { lease, holder, until: clock.now() + ms }
    return { outcome: 'claimed', lease } as const
  }

  async renew(lease: Lease, ms: number): Promise<boolean> {
    return this.#until(lease, this.#database.clock.now() + ms)
  }

  async release(lease: Lease): Promise<void> {
    this.#until(lease, 0)
  }

  async append(lease: Lease, group: JournalGroup): Promise<Appended> {
    this.#requireOpen()
    const rows = [group.events, group.outcomes, group.snapshots]
    const bytes = rows.flat().reduce((sum, { record }) => sum + record.length, 0)
    const count = Math.max(...rows.map(({ length }) => length), group.watermarks.length)
    if (count > limits.journalGroupRows || bytes > limits.journalGroupBytes) {
      throw new PeerplaneError('too-large', 'the group is too large')
    }
    const fault = await this.#database.fault()
    if (fault === 'lost-before') return { outcome: 'unknown', cause: new Error(fault) }
    const { until } = this.#database.leases[lease.shard]!
    if (!this.#database.holds(lease) || until <= this.#database.clock.now()) {
      return { outcome: 'fenced' }
    }
    this.#database.write(lease.shard, group)
    if (fault === 'lost-after') return { outcome: 'unknown', cause: new Error(fault) }
    return { outcome: 'written' }
  }

  async position(lease: Lease): Promise<UnderLease<number>> {
    return this.#under(lease, () => this.#eventsOf(lease.shard).length)
  }

  async snapshot(lease: Lease, entity: EntityKey) {
    return this.#under(lease, () => this.#database.snapshots.get(entity))
  }

  async events(lease: Lease, entity: EntityKey, number: number) {
    return this.#under(lease, () => {
      const events = this.#eventsOf(lease.shard)
      return page(events.filter((each) => each.entity === entity && each.number > number))
    })
  }

  async tail(lease: Lease, position: number) {
    return this.#under(lease, () =>
      page(this.#eventsOf(lease.shard).filter((each) => each.position > position)),
    )
  }

  async caller(lease: Lease, outbox: SessionId) {
    return this.#under(lease, () => ({
      watermark: this.#database.watermarks.get(`${lease.shard}/${outbox}`) ?? 0,
      outcomes: this.#database.outcomes
        .filter(({ shard, outcome }) => shard === lease.shard && outcome.outbox === outbox)
        .map(({ outcome }) => outcome)
        .toSorted((a, b) => a.n - b.n),
    }))
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #eventsOf(shard: number): JournalEvent[] {
    return this.#database.events.filter((each) => each.shard === shard).map(({ event }) => event)
  }

  async #under<T>(lease: Lease, read: () => T): Promise<UnderLease<T>> {
    this.#requireOpen()
    if (!this.#database.holds(lease)) return { outcome: 'fenced' }
    const value = read()
    if (Array.isArray(value)) this.#database.eventsRead += value.length
    return { outcome: 'read', value }
  }

  #until(lease: Lease, until: number): boolean {
    this.#requireOpen()
    if (!this.#database.holds(lease)) return false
    const row = this.#database.leases[lease.shard]!
    this.#database.leases[lease.shard] = { ...row, holder: until === 0 ? '' : row.holder, until }
    return true
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new PeerplaneError('closed', 'the journal is closed')
  }
}

function page(events: readonly JournalEvent[]): readonly JournalEvent[] {
  let before = 0
  return events.filter(({ record }) => {
    const fits = before < limits.journalPageBytes
    before += record.length
    return fits
  })
}
