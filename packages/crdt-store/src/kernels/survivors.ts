import type { SessionId } from '@peerplane/core'

import { compareCommits, type CommitTable, type NamedCommit } from './commits.ts'
import type { OpContext } from './op-context.ts'
import { PART_BYTES } from './weight.ts'

/** An op that may survive. */
export interface Made {
  readonly commit: NamedCommit
}

/**
 * The ops of one place that no other op supersedes, at most one of each session: what was applied less what was named, whatever the order of
 * both, and less what an op of the same session, or of a session of the same device after it, followed.
 *
 * An honest op names only commits that were applied before it everywhere. A forged one may name a commit that exists and comes later
 * elsewhere; unless that is kept in mind until it comes, replicas that saw the two in different orders would differ for ever. It cannot name
 * one that does not exist yet: nobody knows its prefix.
 */
export class Survivors<Op extends Made> {
  /** A list while there are few, as there nearly always are. */
  #live: readonly Op[] | Map<SessionId, Op>
  #expected: ExpectedCommits | undefined

  constructor(live: readonly Op[] = [], expected: readonly NamedCommit[] = []) {
    this.#live = live.length > FEW ? bySession(live) : live
    if (expected.length > 0) this.#expected = new ExpectedCommits(expected)
  }

  get size(): number {
    return this.#live instanceof Map ? this.#live.size : this.#live.length
  }

  /** Whether there is nothing to remember. */
  get isBlank(): boolean {
    return this.size === 0 && (this.#expected?.isEmpty ?? true)
  }

  /** What is kept, in the bytes of `limits.entityBytes`. */
  get weight(): number {
    return this.size * PART_BYTES + (this.#expected?.weight ?? 0)
  }

  /** Whether an op of this session survives. */
  has(session: SessionId | undefined): boolean {
    return session !== undefined && this.#of(session) !== undefined
  }

  /** Whether an op of this commit survives. */
  holds({ session, seq }: Pick<NamedCommit, 'session' | 'seq'>): boolean {
    return this.#of(session)?.commit.seq === seq
  }

  /** The survivors, in no particular order. */
  values(): Iterable<Op> {
    return this.#live.values()
  }

  /** The survivors in the order of their commits. */
  sorted(): readonly Op[] {
    if (Array.isArray(this.#live) && this.#live.length < 2) return this.#live
    return [...this.#live.values()].sort((a, b) => compareCommits(a.commit, b.commit))
  }

  /** Their commits, in order. */
  commits(): NamedCommit[] {
    return this.sorted().map(({ commit }) => commit)
  }

  /** What a snapshot keeps beside the survivors. */
  expected(table: CommitTable): NamedCommit[] {
    return this.#expected?.sorted(table) ?? []
  }

  /** Applies the arrival of an op that may survive, after {@link supersede}. */
  add(op: Op, context: OpContext): void {
    if (this.#expected?.has(op.commit)) return
    this.#insert(op)
    context.undo(() => this.#remove(op))
  }

  /** Applies that an op names these commits. It also supersedes what it covers. */
  supersede(commits: readonly NamedCommit[], context: OpContext): void {
    for (const covered of this.#covered(context)) this.#take(covered, context)
    for (const commit of commits) {
      const live = this.size > 0 ? this.#of(commit.session) : undefined
      if (live && compareCommits(live.commit, commit) === 0) this.#take(live, context)
      else (this.#expected ??= new ExpectedCommits()).add(commit, context)
    }
  }

  #covered(context: OpContext): readonly Op[] {
    if (this.size === 0) return []
    const { session, lineage } = context.origin
    const own = this.#of(session)
    // If the commit has made an op here before, that op has superseded everything else that is covered.
    if (lineage?.hasParents && own?.commit.seq !== context.commit.seq) {
      return [...this.#live.values()].filter(({ commit }) => context.covers(commit))
    }
    return own ? [own] : []
  }

  #take(live: Op, context: OpContext): void {
    this.#remove(live)
    context.undo(() => this.#insert(live))
  }

  #of(session: SessionId): Op | undefined {
    if (this.#live instanceof Map) return this.#live.get(session)
    return this.#live.find(({ commit }) => commit.session === session)
  }

  #insert(op: Op): void {
    if (this.#live instanceof Map) this.#live.set(op.commit.session, op)
    else if (this.#live.length < FEW) this.#live = [...this.#live, op]
    else this.#live = bySession([...this.#live, op])
  }

  #remove({ commit: { session } }: Op): void {
    if (this.#live instanceof Map) this.#live.delete(session)
    else this.#live = this.#live.filter(({ commit }) => commit.session !== session)
  }
}

/** Commits that were named before they came. One that does not come, because another stands at its place, never has an effect. */
export class ExpectedCommits {
  #commits: Map<string, NamedCommit> | undefined

  constructor(commits: readonly NamedCommit[] = []) {
    if (commits.length > 0) this.#commits = new Map(commits.map((each) => [each.key, each]))
  }

  get isEmpty(): boolean {
    return !this.#commits?.size
  }

  /** In the bytes of `limits.entityBytes`. */
  get weight(): number {
    return (this.#commits?.size ?? 0) * PART_BYTES
  }

  has(commit: NamedCommit): boolean {
    return this.#commits?.has(commit.key) ?? false
  }

  /** Keeps a commit in mind, unless bodies of its session have been folded beyond it: then it has come before, or never will. */
  add(commit: NamedCommit, context: OpContext): void {
    if (commit.seq <= context.table.seen(commit.session)) return
    const commits = (this.#commits ??= new Map())
    const { key } = commit
    if (commits.has(key)) return
    commits.set(key, commit)
    context.undo(() => commits.delete(key))
  }

  /** What may still come, for a snapshot. */
  sorted(table: CommitTable): NamedCommit[] {
    if (!this.#commits) return []
    return [...this.#commits.values()]
      .filter(({ session, seq }) => seq > table.seen(session))
      .sort(compareCommits)
  }
}

const FEW = 8

const bySession = <Op extends Made>(ops: readonly Op[]): Map<SessionId, Op> =>
  new Map(ops.map((op) => [op.commit.session, op]))
