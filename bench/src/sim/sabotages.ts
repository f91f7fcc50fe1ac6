/** A change to the text of one product source; `find` stands in it exactly once. */
export interface Change {
  /** End of the path of the file. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A known bug. */
export interface Sabotage {
  readonly name: string
  /** What goes wrong, in a few words. */
  readonly what: string
  readonly changes: readonly Change[]
}

const sabotage = (
  name: string,
  what: string,
  file: string,
  find: string,
  replace: string,
): Sabotage => ({ name, what, changes: [{ file, find, replace }] })

/** Bugs that the campaign must find unaided. */
export const sabotages: readonly Sabotage[] = [
  {
    name: 'ignore-dependencies',
    what: 'commits are delivered without their dependencies',
    changes: [
      {
        file: 'crdt-store/src/log/causal-order.ts',
        find: 'firstSeq(batch) > 1 ? depsOf(batch) : [...parents, ...depsOf(batch)]',
        replace: '[]',
      },
      {
        file: 'crdt-store/src/log/agreement.ts',
        find: '    const parents = firstSeq(batch)',
        replace: '    return true\n    const parents = firstSeq(batch)',
      },
    ],
  },
  sabotage(
    'drop-commit',
    'one commit in a hundred is dropped',
    'crdt-store/src/log/opened-log.ts',
    'deliveries.call(commits)',
    'deliveries.call(commits.filter(({ id }) => parseInt(id.slice(0, 6), 16) % 100 !== 0))',
  ),
  sabotage(
    'no-anti-entropy',
    'devices push commits, but never ask for missing ones',
    'sync/src/engine/engine.ts',
    '  want(current)\n',
    '',
  ),
  {
    name: 'resume-session',
    what: 'a device continues its last session after a restart',
    changes: [
      {
        file: 'crdt-store/src/log/own-session.ts',
        find: '  const device = toHex(key.publicKey) as DeviceId\n',
        replace: `  const device = toHex(key.publicKey) as DeviceId
  const last = [...sessions.values()]
    .filter((held) => held.device === device)
    .sort((a, b) => a.reach.time.ms - b.reach.time.ms)
    .at(-1)
  const isRestart = !sessions.wrote
  sessions.wrote = true
  if (last && isRestart) {
    const { seq, batch } = last.stored
    return { id: last.id, opening: last, lineage: lineages.of(last.id), delivered: Infinity, opened: true, seq, previous: batch }
  }
`,
      },
      {
        // A session does not depend on itself.
        file: 'crdt-store/src/log/append.ts',
        find: '    this.#own ??= openOwnSession(author, sessions, lineages)\n',
        replace: `    if (!this.#own) {
      this.#own = openOwnSession(author, sessions, lineages)
      heads.remove([{ session: this.#own.id }])
    }
`,
      },
    ],
  },
  sabotage(
    'sessions-only-digest',
    'a digest depends only on which sessions a device holds, not on how many of their commits it holds',
    'core/src/log/tip-trie.ts',
    'encodeCanonical(tips.map(tipToValue))',
    'encodeCanonical(tips.map(({ session }) => fromHex(session)))',
  ),
  sabotage(
    'clock-register',
    'a register chooses its value by the clock alone',
    'crdt-store/src/kernels/register.ts',
    'cell.written.supersede(named, context)',
    '',
  ),
  sabotage(
    'list-shows-all-positions',
    'a list shows an element at each position where it has stood',
    'crdt-store/src/kernels/list/elements.ts',
    'position.owner?.current === position && isPresent(position.owner)',
    'position.owner !== undefined && isPresent(position.owner)',
  ),
  sabotage(
    'list-forgets-moves',
    'moved elements are gone after a restart',
    'crdt-store/src/kernels/list/elements.ts',
    'content!.owner = element',
    'void content',
  ),
  sabotage(
    'list-sides-by-arrival',
    'positions that two sessions make at one place are in the order of their arrival',
    'crdt-store/src/kernels/order/siblings.ts',
    'if (groups[middle]![0]!.commit.session < session) low = middle + 1',
    'if (groups[middle]![0]!.commit.session !== session) low = middle + 1',
  ),
  sabotage(
    'list-changes-keep-nothing',
    'an element goes although another device has changed it concurrently with its deletion',
    'crdt-store/src/kernels/list/elements.ts',
    'if (isClosed) return\n',
    'if (isClosed || touches.size > 0) return\n',
  ),
  sabotage(
    'no-deps',
    'a device writes commits that name no dependencies',
    'core/src/log/commit.ts',
    'const header: Header = { ...fields, root',
    'const header: Header = { ...fields, deps: [], digest: new Uint8Array(0), root',
  ),
  sabotage(
    'skip-flush',
    'a write of durability `local` is reported as `synced`',
    'crdt-store/src/log/append.ts',
    '...flush.alsoWrite], flush.durability)',
    "...flush.alsoWrite], 'local')",
  ),
  sabotage(
    'early-acknowledgement',
    'a command is acknowledged before anything is stored',
    'crdt-store/src/log/append.ts',
    "durability === 'memory' ? IN_MEMORY : flush.durable.promise",
    'IN_MEMORY',
  ),
  sabotage(
    'swallow-store-errors',
    'a command is acknowledged although the store refused its write',
    'crdt-store/src/log/append.ts',
    'for (const flush of flushes) flush.durable.reject(error)',
    'for (const flush of flushes) flush.durable.resolve()',
  ),
  sabotage(
    'keep-session-after-failure',
    'a device continues a session after one of its writes failed',
    'crdt-store/src/log/append.ts',
    '    this.#own = undefined\n    this.#queued = newPendingFlush()\n',
    '    this.#queued = newPendingFlush()\n',
  ),
  sabotage(
    'half-a-commit',
    'only the first section of a commit is delivered',
    'crdt-store/src/entities/bodies-of.ts',
    'of sections) {',
    'of sections.slice(0, 1)) {',
  ),
  sabotage(
    'rows-before-log',
    'a row is written before the commits in it are durable',
    'crdt-store/src/entities/flusher.ts',
    '      await this.#options.settled()\n',
    '',
  ),
  sabotage(
    'rows-of-the-dead',
    'after commits are lost, a device keeps the entity states that contain them',
    'runtime/src/space/folding.ts',
    'discarded = entities.discard({ rows: why !== undefined })',
    'discarded = why ? entities.discard({ rows: true }) : Promise.resolve()',
  ),
  sabotage(
    'forget-what-waits',
    'waiting commits are forgotten when the log is opened again',
    'crdt-store/src/log/open-log.ts',
    '  await delivery.restore()\n',
    '',
  ),
  sabotage(
    'sleep-on',
    'a waiting commit is not delivered when its dependency arrives',
    'crdt-store/src/log/causal-order.ts',
    '    this.advanced(batch.session)\n',
    '',
  ),
  sabotage(
    'run-again',
    'a command runs again under an operation id that already has an outcome',
    'runtime/src/commands/operations.ts',
    'return decodeOutcome(value)',
    'return undefined',
  ),
  sabotage(
    'remove-wins',
    'a deletion from a set also removes additions that its author did not see',
    'crdt-store/src/kernels/set.ts',
    'entries.applyRemoval(element, fields[2],',
    'entries.applyRemoval(element, null,',
  ),
  sabotage(
    'another-prefix',
    'a device stores its own commits in its rows with a wrong prefix of their ids',
    'crdt-store/src/kernels/native-state.ts',
    'made.identify(prefix)',
    "made.identify('00'.repeat(8))",
  ),
  sabotage(
    'removes-more',
    'the removal of an entry also removes changes that the removing device had not seen',
    'crdt-store/src/kernels/entries.ts',
    'entry.touches.supersede(names, context)',
    'entry.touches.supersede([...names, ...entry.touches.commits()], context)',
  ),
  sabotage(
    'largest-count',
    'a counter keeps the largest addition instead of the sum of all additions',
    'crdt-store/src/kernels/counter.ts',
    'cell.total = sum(total, by)',
    'cell.total = Math.max(Number(total), by as number)',
  ),
  sabotage(
    'last-write-by-arrival',
    'a register shows the value that arrived last',
    'crdt-store/src/kernels/latest-by-device.ts',
    'live.sort((a, b) => compareLatest(b, a))',
    'live.reverse()',
  ),
  sabotage(
    'one-by-one',
    'the entities of one commit are shown one after another, not together',
    'runtime/src/watching/entity-watches.ts',
    '    for (const key of keys) {\n      for (const listener',
    '    for (const key of [...keys].slice(0, 1)) {\n      for (const listener',
  ),
  sabotage(
    'message-storm',
    'a device answers every summary with a summary',
    'sync/src/engine/comparing.ts',
    '  if (!reply || step.now < link.replyAt) return\n',
    '',
  ),
  {
    name: 'trust-the-link',
    what: 'a device never asks again after an answer was lost',
    changes: [
      {
        file: 'sync/src/engine/leaving.ts',
        find: '    state.asks.delete(session)\n    state.open.add(session)\n',
        replace: '',
      },
      // Otherwise the ask would fail: an ask that goes to nobody has no deadline.
      {
        file: 'sync/src/engine/wanting.ts',
        find: '    if (ask.admitting > 0) continue\n',
        replace: '    if (ask.admitting > 0 || !state.links.has(ask.link)) continue\n',
      },
      {
        file: 'sync/src/engine/wanting.ts',
        find: '    // An ask that is being admitted has no deadline;',
        replace:
          '    if (!state.links.has(ask.link)) continue\n    // An ask that is being admitted has no deadline;',
      },
    ],
  },
  sabotage(
    'show-while-lost',
    'an entity that is opened while commits are being lost is shown before the remaining commits are folded again',
    'runtime/src/watching/entity-watches.ts',
    'space.losses() !== losses',
    'false',
  ),
  sabotage(
    'deaf-while-closing',
    'a plane that is being closed does not notice that its last commits could not be stored',
    'runtime/src/space/held-space.ts',
    "services.add('writes', { stop: () => log.idle() })",
    "services.add('writes', { stop: async () => { const stopped = folding.stop(); await log.idle(); await stopped } })",
  ),
  sabotage(
    'show-while-closing',
    'watches still show states while their plane is being closed',
    'runtime/src/runtime.ts',
    'closing: () => watches.stop()',
    'closing: () => undefined',
  ),
  sabotage(
    'timers-go-on',
    'a closed plane leaves timers behind',
    'runtime/src/runtime.ts',
    "    services.add('timers', timers)\n",
    '',
  ),
  sabotage(
    'closed-too-early',
    'a plane is reported as closed while an earlier call is still closing it',
    'runtime/src/runtime.ts',
    'close: () => (closing ??= end())',
    'close: () => (closing ? Promise.resolve() : (closing = end()))',
  ),
  sabotage(
    'clock-freezes-views',
    'a timer waits for a time on a clock that may be set back',
    'runtime/src/watching/pace.ts',
    'Math.min(Math.max(0, restUntil - clock.now()), MAX_REST_MS)',
    'Math.max(0, restUntil - clock.now())',
  ),
  sabotage(
    'show-while-folding',
    'entities are shown while commits are being folded into them',
    'runtime/src/watching/entity-watches.ts',
    'await space.atRest(showTimed)',
    'await showTimed()',
  ),
  sabotage(
    'refused-in-memory',
    'a command of durability `memory` is acknowledged although the store had already refused its commit',
    'runtime/src/commands/invoker.ts',
    '      await lost\n',
    '',
  ),
  sabotage(
    'forged-runs',
    'the signature of a run is not checked',
    'crdt-store/src/log/examine.ts',
    '(await verifyBatch(decoded.last, device, crypto))) return examined',
    'device) return examined',
  ),
  sabotage(
    'forged-proofs',
    'the signatures in the proof of a fork are not checked',
    'crdt-store/src/log/examine.ts',
    'if (await verifyForkProof(told, device, crypto)) return examined',
    'if (told) return examined',
  ),
  sabotage(
    'fork-takes-nothing-back',
    'commits after a fork keep their effect on a device that had folded them',
    'crdt-store/src/log/opened-log.ts',
    '    if (forked?.undone) this.#forks.call(forked.session, forked.seq, forked.undone)\n',
    '',
  ),
  sabotage(
    'fork-not-in-digest',
    'the digest of a device does not change when the device learns of a fork',
    'crdt-store/src/log/sessions.ts',
    '    this.#reach(held, reachUpTo(held.reach, stored))\n',
    '    held.reach = reachUpTo(held.reach, stored)\n',
  ),
  sabotage(
    'forks-by-seq-only',
    'devices that hold two versions of a session up to the same seq do not compare them',
    'sync/src/engine/knowledge.ts',
    'stored.mark !== mark',
    'false',
  ),
  sabotage(
    'no-suspicion',
    'a device does not ask for the whole session when a run does not continue its version',
    'sync/src/engine/wanting.ts',
    "  const message = { kind: 'want', ranges: [range] } as const\n  step.effects.push({ kind: 'send', link: link.id, message })\n",
    '',
  ),
  sabotage(
    'forks-forgotten',
    'the proofs of forks are forgotten when the log is opened again',
    'crdt-store/src/log/open-log.ts',
    '  await orCorrupt(restoreForks(store, sessions))\n',
    '',
  ),
  sabotage(
    'forked-dependencies-compared',
    'a commit that depends on forked commits is compared with the version of the device, and waits for ever',
    'crdt-store/src/log/agreement.ts',
    '    if (deps.some((dep) => this.#sessions.isVoid(dep))) return true\n',
    '',
  ),
  sabotage(
    'wait-for-forked',
    'a commit that waits for a forked commit is not delivered when the fork is proved',
    'crdt-store/src/log/delivery.ts',
    '    this.#order.advanced(id)\n',
    '',
  ),
  sabotage(
    'names-by-place',
    'a name of a commit counts by its place only, whatever its prefix is',
    'crdt-store/src/kernels/survivors.ts',
    'compareCommits(live.commit, commit) === 0',
    'live.commit.seq === commit.seq',
  ),
  sabotage(
    'names-before-commits',
    'a commit is superseded by a name that guessed its place before it was written',
    'crdt-store/src/kernels/commits.ts',
    '${this.seq}.${this.#prefix}.${this.session}',
    '${this.seq}.${this.session}',
  ),
  sabotage(
    'critical-keys-ignored',
    'a record with an unknown critical key has an effect',
    'core/src/log/extensions.ts',
    'extensions.every(([key]) => key % 2 === 1)',
    'true',
  ),
  sabotage(
    'newer-models-folded',
    'a section for a newer model version is folded like one of this version',
    'crdt-store/src/entities/slot.ts',
    '  modelVersion > model.version\n',
    '  model.version > modelVersion\n',
  ),
  sabotage(
    'newer-models-lock-out',
    'a section for a newer model version makes its entity unreadable',
    'crdt-store/src/entities/slot.ts',
    "makeIncomplete(slot, 'it was written for a newer version', events)",
    'makeUnreadable(slot, slot.key, events)',
  ),
  sabotage(
    'half-void',
    'the ops of a void body before the one that breaks a rule keep their effect',
    'crdt-store/src/kernels/native-state.ts',
    '      context?.revert(0)\n',
    '',
  ),
  sabotage(
    'endless-room',
    'the room for waiting commits has no limit',
    'crdt-store/src/log/waiting-room.ts',
    'return shareOf(sum(this.#total, more)) <= 1',
    'return shareOf(sum(this.#total, more)) <= 100',
  ),
  sabotage(
    'off-by-one-time',
    'the time of a commit is read one millisecond too late',
    'core/src/log/batch-form.ts',
    'ms: before.ms + later, counter: 0',
    'ms: before.ms + later + 1, counter: 0',
  ),
  sabotage(
    'fifteen-children',
    'the digest of many sessions does not cover those whose ids begin with f',
    'core/src/log/tip-trie.ts',
    '...children.map(({ digest }) => fromHex(digest))',
    '...children.slice(0, 15).map(({ digest }) => fromHex(digest))',
  ),
  sabotage(
    'one-enables',
    'a flag is on although one op that is not superseded disables it, and disabling wins',
    'crdt-store/src/kernels/flag.ts',
    'live.length > 0 && live.every(',
    'live.length > 0 && live.some(',
  ),
  sabotage(
    'one-voter',
    'a vote shows the vote of one device only',
    'crdt-store/src/kernels/vote.ts',
    'if (!isSame) cell.mirror = votes(list)',
    'if (!isSame) cell.mirror = votes(list.slice(0, 1))',
  ),
  sabotage(
    'hidden-conflict',
    'a multi-value register shows only the latest of concurrent values',
    'crdt-store/src/kernels/multi-value-register.ts',
    'values.length > 0 ? values : first',
    'values.length > 0 ? values.slice(0, 1) : first',
  ),
  sabotage(
    'first-overwritten',
    'with the reverse clock, a device writes a value although the register has one',
    'crdt-store/src/kernels/register.ts',
    "if (clock === 'reverse' && seen.length > 0) return",
    '',
  ),
  sabotage(
    'smaller-clock',
    'with a custom clock, the smallest of concurrent clocks wins',
    'crdt-store/src/kernels/register-clock.ts',
    'b.content!.clock - a.content!.clock',
    'a.content!.clock - b.content!.clock',
  ),
  sabotage(
    'smaller-clock-written',
    'with a custom clock, a device writes a value with a smaller clock than that of the shown value',
    'crdt-store/src/kernels/register.ts',
    'if (clock < before && !isIncremented) return',
    '',
  ),
  sabotage(
    'lost-element',
    'a grow-only set loses its first element when its row is read',
    'crdt-store/src/kernels/grow-only-set.ts',
    'return created(new Map(added))',
    'return created(new Map(added.slice(1)))',
  ),
  sabotage(
    'last-increment',
    'a grow-only counter takes only increments that are greater than its value',
    'crdt-store/src/kernels/grow-only-counter.ts',
    'if (by !== 0) place.write([26, by])',
    'if (by > value()) place.write([26, by])',
  ),
]
