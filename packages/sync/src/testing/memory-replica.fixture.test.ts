import {
  branchOf,
  decodeBatch,
  decodeForkProof,
  decodeOpening,
  depsDigest,
  encodeBatch,
  encodeForkProof,
  firstPrevious,
  firstSeq,
  forkedTip,
  isForkedTip,
  HybridClock,
  lastSeq,
  makeBatch,
  makeCommit,
  markOf,
  PeerplaneError,
  signBatch,
  makeOpening,
  TipTrie,
  toHex,
  verifyBatch,
  verifyForkProof,
  type Admitted,
  type Batch,
  type Clock,
  type Commit,
  type Crypto,
  type DeviceId,
  type Dot,
  type EntityKey,
  type ForkProof,
  type Frontier,
  type OpeningEvidence,
  type Random,
  type Replica,
  type Run,
  type SessionId,
  type SigningKey,
  type Space,
  type Tip,
} from '@peerplane/core'

/** A log in memory: the real records, without a store. */
export interface MemoryReplica extends Replica {
  /** Writes a batch of `count` commits that depend on everything delivered. */
  write(count?: number): Promise<Batch>
  /** The next write begins a session, as after a restart. */
  restart(): void
  /** Everything that is held, for a replica that is opened from it later. */
  copy(): ReadonlyMap<SessionId, HeldSession>
  /** How many runs were admitted, and how many commits came again though they were held. */
  readonly counts: { admitted: number; duplicates: number }
  /** When set, `admit` rejects with it. */
  refuse: PeerplaneError | undefined
}

/** A session as it is held. */
export interface HeldSession {
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly opening: OpeningEvidence
  readonly batches: readonly Batch[]
  /** Commits that have been delivered. */
  readonly delivered: number
  readonly fork?: ForkProof
}

interface Ports {
  readonly space: Space
  readonly key: SigningKey
  readonly chain: readonly Uint8Array[]
  readonly crypto: Crypto
  readonly clock: Clock
  readonly random: Random
}

/** A replica that starts with `held`. It writes into a session of its own, or wrongly goes on in `resumed`. */
export function createMemoryReplica(
  ports: Ports,
  held: ReadonlyMap<SessionId, HeldSession> = new Map(),
  resumed?: SessionId,
): MemoryReplica {
  const { space, key, crypto, random } = ports
  const device = toHex(key.publicKey) as DeviceId
  const sessions = new Map(held)
  const watchers = new Set<(own: Batch | undefined) => void>()
  const clock = new HybridClock(ports.clock)
  const counts = { admitted: 0, duplicates: 0 }
  let own = resumed
  let writing: Promise<unknown> = Promise.resolve()

  const commitsOf = ({ batches }: HeldSession): Commit[] =>
    batches.flatMap(({ commits }) => commits)
  const endingAt = ({ session, seq }: Dot): Batch | undefined =>
    sessions.get(session)?.batches.find((batch) => lastSeq(batch) === seq)
  const tipAt = (session: SessionId, seq: number): Tip[] => {
    const batch = endingAt({ session, seq })
    return batch ? [{ session, seq, mark: markOf(batch.id) }] : []
  }
  const frontier = (seqOf: (each: HeldSession) => number): Frontier =>
    new Map(
      [...sessions].flatMap(([session, each]) =>
        tipAt(session, seqOf(each)).map((tip) => [session, tip]),
      ),
    )
  const forks = (): [SessionId, Tip][] =>
    [...sessions].flatMap(([session, { fork }]) => (fork ? [[session, forkedTip(fork)]] : []))
  const delivered = (): Frontier => new Map([...frontier((each) => each.delivered), ...forks()])
  const stored = (): Frontier =>
    new Map([...frontier((each) => commitsOf(each).length), ...forks()])

  const isDelivered = ({ session, seq }: Dot): boolean =>
    (sessions.get(session)?.delivered ?? 0) >= seq

  function deliver(): number {
    let count = 0
    for (let moved = true; moved;) {
      moved = false
      for (const [session, each] of sessions) {
        const next = each.batches.find((batch) => firstSeq(batch) === each.delivered + 1)
        if (!next || !next.commits.every(({ header }) => header.deps.every(isDelivered))) continue
        sessions.set(session, { ...each, delivered: lastSeq(next) })
        count += next.commits.length
        moved = true
      }
    }
    return count
  }

  const awaits = (session: SessionId): Dot[] => {
    const each = sessions.get(session)
    const next = each?.batches.find((batch) => firstSeq(batch) === each.delivered + 1)
    return next?.commits[0]!.header.deps.filter((dep) => !isDelivered(dep)) ?? []
  }

  const notify = (batch: Batch | undefined): void => {
    for (const each of watchers) each(batch)
  }

  async function openSession(): Promise<SessionId> {
    const parents = [...delivered().values()].filter(
      ({ session }) => sessions.get(session)?.device === device,
    )
    const { session, bytes } = makeOpening({
      space: space.record.id,
      device,
      parents,
      admission: new Uint8Array(32),
      nonce: random.bytes(16),
    })
    const opening = { bytes, chain: ports.chain }
    sessions.set(session, { device, parents, opening, batches: [], delivered: 0 })
    return session
  }

  async function write(count: number): Promise<Batch> {
    own ??= await openSession()
    const session = own
    const each = sessions.get(session)!
    const last = each.batches.at(-1)
    const seed = random.bytes(16)
    const deps = [...delivered().values()]
      .filter((tip) => tip.session !== session && !isForkedTip(tip))
      .map(({ session: other, seq }) => ({ session: other, seq }))
      .sort((a, b) => (a.session < b.session ? -1 : 1))
    const ids = deps.map((dot) => endingAt(dot)!.id)
    const section = {
      entity: 'note/1' as EntityKey,
      modelVersion: 1,
      body: random.bytes(40),
    }
    const commits = Array.from({ length: count }, (_, index) =>
      makeCommit(
        session,
        {
          seq: (last ? lastSeq(last) : 0) + 1 + index,
          deps: index === 0 ? deps : [],
          digest: depsDigest(index === 0 ? ids : []),
          time: clock.next(),
        },
        [section],
        seed,
      ),
    )
    const [first, ...rest] = commits
    const unsigned = makeBatch(
      last?.id ?? firstPrevious(each.opening.bytes),
      [first!, ...rest],
      seed,
    )
    const batch = await signBatch(unsigned, key)
    sessions.set(session, {
      ...each,
      batches: [...each.batches, batch],
      delivered: lastSeq(batch),
    })
    notify(batch)
    return batch
  }

  async function admit(run: Run): Promise<Admitted> {
    if (replica.refuse) throw replica.refuse
    const { session } = run
    let each = sessions.get(session)
    if (!each) {
      if (!run.opening) throw new PeerplaneError('broken-chain', 'no opening')
      const { opening } = decodeOpening(run.opening.bytes)
      each = {
        device: opening.device,
        parents: opening.parents,
        opening: run.opening,
        batches: [],
        delivered: 0,
      }
    }
    const { fresh, fork } = read(run, each)
    const last = fresh.at(-1)
    if (last && !run.fork && !(await verifyBatch(last, each.device, crypto))) {
      throw new PeerplaneError('bad-signature', 'a run is not signed by its device')
    }
    if (fork && !(await verifyForkProof(fork, each.device, crypto))) {
      throw new PeerplaneError('bad-signature', 'a fork is not proved')
    }
    counts.admitted++
    const current = sessions.get(session) ?? each
    if (fork && fork.seq < (current.fork?.seq ?? Infinity)) {
      sessions.set(session, { ...current, batches: [...current.batches, ...fresh], fork })
      if (own === session) own = undefined
      deliver()
      notify(undefined)
      return {
        stored: fresh.length,
        released: 0,
        awaits: [],
        full: false,
        forkedBy: current.device,
      }
    }
    const next = fresh.filter((batch) => firstSeq(batch) > commitsOf(current).length)
    if (next.length === 0) return { stored: 0, released: 0, awaits: awaits(session), full: false }
    sessions.set(session, { ...current, batches: [...current.batches, ...next] })
    for (const { commits } of next) {
      for (const { header } of commits) clock.observe(header.time)
    }
    const deliveredNow = deliver()
    const storedNow = next.reduce((sum, { commits }) => sum + commits.length, 0)
    notify(undefined)
    return {
      stored: storedNow,
      released: Math.max(0, deliveredNow - storedNow),
      awaits: awaits(session),
      full: false,
    }
  }

  /** The batches of a run that are not held, and the proof of a fork that it brings or that follows from it. */
  function read(run: Run, each: HeldSession): { fresh: Batch[]; fork?: ForkProof } {
    const fresh: Batch[] = []
    let seq = run.from
    let previous = each.batches.findLast((batch) => lastSeq(batch) === seq - 1)?.id
    if (seq === 1) previous = firstPrevious(each.opening.bytes)
    if (!previous) throw new PeerplaneError('broken-chain', 'a run follows nothing that is held')
    for (const encoded of run.batches) {
      const batch = decodeBatch(encoded, run.session, previous, seq)
      const known = each.batches.find((other) => firstSeq(other) === seq)
      if (known && known.id !== batch.id) {
        const branches = [known, batch].map((one) => branchOf([one], one.signature!))
        const fork = { session: run.session, seq, previous, branches } as unknown as ForkProof
        return { fresh: [], fork }
      }
      if (known) counts.duplicates += known.commits.length
      else fresh.push(batch)
      previous = batch.id
      seq = lastSeq(batch) + 1
    }
    return run.fork ? { fresh, fork: decodeForkProof(run.fork, run.session) } : { fresh }
  }

  const replica: MemoryReplica = {
    counts,
    refuse: undefined,
    write: (count = 1) => {
      const done = writing.then(() => write(count))
      writing = done.catch(() => {})
      return done
    },
    restart: () => {
      own = undefined
    },
    copy: () => new Map(sessions),
    delivered,
    stored,
    get tips() {
      const tips = new TipTrie()
      for (const tip of delivered().values()) tips.set(tip)
      return tips
    },
    async range(session, from, maxBytes) {
      const each = sessions.get(session)
      if (!each) return undefined
      const { fork } = each
      const held = each.batches.filter(
        (batch) => lastSeq(batch) <= each.delivered && (!fork || firstSeq(batch) < fork.seq),
      )
      const start = held.find((batch) => lastSeq(batch) >= from)
      const first = start ? firstSeq(start) : fork?.seq
      if (first === undefined) return undefined
      const batches: Uint8Array[] = []
      let size = 0
      let isCut = false
      for (const batch of held.filter((one) => firstSeq(one) >= first)) {
        const encoded = encodeBatch(batch)
        size += encoded.length
        isCut = batches.length > 0 && size > maxBytes
        if (isCut) break
        batches.push(encoded)
      }
      const opening = first === 1 ? each.opening : undefined
      const run = { session, from: first, opening, batches }
      return fork && !isCut ? { ...run, fork: encodeForkProof(fork) } : run
    },
    admitAll: (runs) => Promise.allSettled(runs.map(admit)),
    watch(callback) {
      watchers.add(callback)
      return () => watchers.delete(callback)
    },
  }
  return replica
}
