import {
  encodeCanonical,
  limits,
  type Body,
  type Draft,
  type EntityKey,
  type EntitySize,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import { readForm, readNamed, touches, type BodyForm } from '../kernels/body-form.ts'
import { CommitTable, NamedCommit, readTable, tableToValues } from '../kernels/commits.ts'
import { Entries } from '../kernels/entries.ts'
import { ENTITY, removeEntity } from '../kernels/entity-ops.ts'
import type { DraftPlace } from '../kernels/kernel.ts'
import { OpContext } from '../kernels/op-context.ts'
import { readText } from '../kernels/values.ts'
import { items, Void, whole } from '../kernels/void.ts'
import { DeletableDraft, versionIn } from './deletable-draft.ts'
import type { WholeContent, WholeState } from './whole-content.ts'

/*
 *   snapshot    [sessions, how far each was folded, commits, devices, entries, when it was last changed]
 *
 * The one entry holds the snapshot of what is in the entity.
 */

/** What a deleted entity shows. */
export class Blank {
  readonly #kind: WholeContent
  #shown: { readonly mirror: Json; readonly version: string } | undefined

  constructor(kind: WholeContent) {
    this.#kind = kind
  }

  get mirror(): Json {
    return this.#show().mirror
  }

  get version(): string {
    return this.#show().version
  }

  #show(): { readonly mirror: Json; readonly version: string } {
    if (this.#shown) return this.#shown
    const state = this.#kind.create(undefined)
    this.#shown = { mirror: state.mirror, version: state.version }
    state.close()
    return this.#shown
  }
}

/** The size of an entity that holds nothing. */
const nothing: EntitySize = { bytes: 0, ops: 0, mostBytes: undefined, mostOps: undefined }

/** What a state is of. */
export interface WholePlace {
  readonly kind: WholeContent
  readonly blank: Blank
  /** Whether the deletion of the entity wins against concurrent changes. */
  readonly closes: boolean
  readonly entity: EntityKey | undefined
}

/** A body of what is in the entity, without its generation. */
interface InnerBody {
  readonly content: WholeState
  readonly body: Body
}

/** The state of an entity that is deleted as a whole: an entry of its space, under the empty key, which holds a {@link WholeState} in each generation. */
export class DeletableState implements Required<EntityState> {
  readonly #place: WholePlace
  readonly #seen: Map<SessionId, number>
  #entity: Entries<WholeState>
  #changedMs = 0
  #problem: string | undefined
  #isIncomplete = false
  /** The commit of the draft that was finished last, until it is identified. */
  #made: NamedCommit | undefined
  /** What was in the entity until the last draft was finished, which may still be taken back. */
  #left: WholeState | undefined
  readonly #seenOf = (session: SessionId): number => this.#seen.get(session) ?? 0

  private constructor(
    place: WholePlace,
    entity: Entries<WholeState>,
    seen: Map<SessionId, number> = new Map(),
  ) {
    this.#place = place
    this.#entity = entity
    this.#seen = seen
  }

  static empty(place: WholePlace): DeletableState {
    return new DeletableState(place, entriesOf(place))
  }

  /** Throws for anything but a snapshot. */
  static load(place: WholePlace, snapshot: Value): DeletableState {
    const fields = items(snapshot, 6)
    const { table, seen } = readTable(fields)
    const entity = entriesOf(place)
    const load = (content: Value | undefined): WholeState =>
      content instanceof Uint8Array
        ? place.kind.load(content, place.entity)
        : place.kind.create(place.entity)
    const saved = fields[4]!
    if (saved !== null) entity.load(saved, table, readText, load)
    const state = new DeletableState(place, entity, seen)
    state.#changedMs = whole(fields[5])
    return state
  }

  get problem(): string | undefined {
    return this.#problem ?? this.#content?.problem
  }

  get skipped(): string | undefined {
    return this.#content?.skipped
  }

  get mirror(): Json {
    return (this.#shown ?? this.#place.blank).mirror
  }

  get exists(): boolean {
    return this.#entity.isPresent(ENTITY)
  }

  get changedMs(): number {
    return this.#changedMs
  }

  get hasConflict(): boolean {
    return this.#shown?.hasConflict ?? false
  }

  get size(): EntitySize {
    return this.#content?.size ?? nothing
  }

  get isLarge(): boolean {
    return this.#content?.isLarge ?? false
  }

  get version(): string {
    const shown = this.#shown
    const generation = shown
      ? this.#entity.kept(ENTITY)!.generation
      : this.#entity.nextGeneration(ENTITY, this.#draftPlace())
    return versionIn(generation, (shown ?? this.#place.blank).version)
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    this.#settle()
    if (this.problem !== undefined) return []
    const put: InnerBody[] = []
    const voids = bodies.filter((body) => !this.#foldOne(body, put))
    const content = this.#content
    // What is no longer in the entity is not looked at again.
    const kept = put.filter((each) => each.content === content)
    if (content) voids.push(...content.fold(kept.map(({ body }) => body)))
    if (this.#weight > limits.entityBytes) this.#giveUp()
    return voids
  }

  advance(most: number): boolean {
    return this.#content?.advance?.(most) ?? false
  }

  markIncomplete(): void {
    this.#isIncomplete = true
    this.#content?.markIncomplete?.()
  }

  begin(origin: Origin, at?: string): Draft {
    this.#settle()
    const { kind, closes, entity } = this.#place
    const { session, seq } = origin
    const commit = new NamedCommit(session, seq, '')
    const table = new CommitTable(this.#seenOf, { own: origin })
    return new DeletableDraft(
      {
        entity: this.#entity,
        context: new OpContext(origin, table, commit),
        draft: this.#draftPlace(table),
        closes,
        create: () => kind.create(entity),
        finished: (context, left) => {
          this.#see(context)
          this.#made = commit
          this.#left = left
        },
        reverted: () => {
          this.#left = undefined
        },
      },
      at,
    )
  }

  merge(origin: Origin): Draft | undefined {
    // A command on a deleted document begins a new one.
    const shown = this.#shown
    if (!shown?.needsMerge) return undefined
    const draft = this.begin(origin)
    shown.merge?.()
    return draft
  }

  identify(body: Body): void {
    const { session, seq } = body.origin
    const made = this.#made
    if (made?.session === session && made.seq === seq) made.identify(body.prefix)
    this.#made = undefined
    this.#content?.identify(body)
  }

  snapshot(): Uint8Array {
    // Numbers are given in the order of the state, which is the same on every device.
    const table = new CommitTable(this.#seenOf, { sessions: [...this.#seen.keys()].sort() })
    const saved = this.#entity.save(table, (content) => content.snapshot()) ?? null
    return encodeCanonical([...tableToValues(table), saved, this.#changedMs])
  }

  close(): void {
    this.#settle()
    this.#content?.close()
  }

  /** What is in the entity, shown or not. */
  get #content(): WholeState | undefined {
    return this.#entity.kept(ENTITY)?.content
  }

  get #shown(): WholeState | undefined {
    return this.#entity.get(ENTITY)
  }

  /** Whether the body keeps the rules, or was folded before. What judges bodies later gets it from `put`. */
  #foldOne(body: Body, put: InnerBody[]): boolean {
    const { origin, prefix, bytes } = body
    const { session, seq } = origin
    if (seq <= this.#seenOf(session)) return true
    const { kind, entity } = this.#place
    const owner = entity && kind.ownerOf?.(entity)
    if (owner !== undefined && owner !== origin.device) return false
    const before = this.#content
    let context: OpContext | undefined
    try {
      const form = readForm(bytes)
      const commits = form.kind === 'removal' ? readNamed(form.fields[0], session) : []
      const table = new CommitTable(this.#seenOf, { commits })
      context = new OpContext(origin, table, new NamedCommit(session, seq, prefix))
      if (form.kind === 'removal') {
        const { fields, generation } = form
        removeEntity(this.#entity, { ops: items(fields[1]), generation }, context)
      } else this.#change(form, body, context, put)
      this.#see(context)
      if (before !== this.#content) before?.close()
      return true
    } catch (error) {
      context?.revert(0)
      if (error instanceof Void) return false
      throw error
    }
  }

  #change(form: BodyForm, body: Body, context: OpContext, put: InnerBody[]): void {
    const { kind, entity } = this.#place
    const { generation, fields } = form
    const inner = generation === 0 ? body : { ...body, bytes: encodeCanonical(fields) }
    const before = this.#content
    const entry = this.#entity.enter(ENTITY, generation, context)
    if (kind.judgesLater) {
      if (!entry) return
      put.push({ content: entry.content, body: inner })
    } else {
      // What is written to a generation that is gone is judged anyway.
      const content = entry?.content ?? kind.create(entity)
      const isVoid = content.fold([inner]).length > 0
      if ((isVoid || !entry) && content !== before) content.close()
      if (isVoid) throw new Void('what is in the entity does not read the body')
    }
    if (entry && touches(form)) this.#entity.touch(ENTITY, entry, context)
  }

  #draftPlace(table: CommitTable = new CommitTable(this.#seenOf)): DraftPlace {
    return {
      table,
      index: 0,
      isTight: this.#weight > limits.entityCommandBytes,
      isComplete: !this.#isIncomplete && this.skipped === undefined,
    }
  }

  /** What says whether the entity exists, in the bytes of `limits.entityBytes`. */
  get #weight(): number {
    return this.#entity.weigh(() => 0)
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `more than ${limits.entityBytes} bytes say whether it exists`
    this.#content?.close()
    this.#entity = entriesOf(this.#place)
  }

  /** The last draft is no longer taken back. */
  #settle(): void {
    this.#left?.close()
    this.#left = undefined
  }

  #see(context: OpContext): void {
    const { session, seq, time } = context.origin
    const before = this.#seen.get(session)
    const changedMs = this.#changedMs
    this.#seen.set(session, seq)
    this.#changedMs = Math.max(changedMs, time.ms)
    context.undo(() => {
      this.#changedMs = changedMs
      if (before === undefined) this.#seen.delete(session)
      else this.#seen.set(session, before)
    })
  }
}

const entriesOf = ({ kind, entity }: WholePlace): Entries<WholeState> =>
  new Entries(() => kind.create(entity))
