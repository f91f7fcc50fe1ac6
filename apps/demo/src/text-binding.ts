import { diff } from '@codemirror/merge'
import { ChangeSet, Text, type ChangeSpec } from '@codemirror/state'

import type { Splice } from './entities.ts'

/** The text of an entity, as subscribers get it. */
export interface SharedText {
  readonly text: string
  readonly version: string
}

/**
 * What lies between an editor and the shared text it edits:
 *
 *     shared text ── sent ──> ── unsent ──> what the editor shows
 *
 * `sent` is the edit whose outcome is awaited, `unsent` what was typed since. While an edit is on its way, newer shared texts wait: only
 * its outcome tells which of them contain it. Everything here is a pure function of the binding.
 */
export interface Binding {
  readonly shared: SharedText
  readonly sent: ChangeSet | undefined
  readonly unsent: ChangeSet
  /** The newest shared text that came while an edit was on its way. */
  readonly waiting: SharedText | undefined
  /** Whether `sent` was made: the next shared text contains it. */
  readonly made: boolean
}

/** A binding for an editor that shows `shared`. */
export const bind = (shared: SharedText): Binding => ({
  shared,
  sent: undefined,
  unsent: ChangeSet.empty(shared.text.length),
  waiting: undefined,
  made: false,
})

/** The user typed. */
export const typed = (binding: Binding, changes: ChangeSet): Binding => ({
  ...binding,
  unsent: binding.unsent.compose(changes),
})

/**
 * The edit to send now, with the version its positions refer to; `undefined` while one is on its way or nothing was typed. It changes at most
 * `most` characters, and the rest is sent after it: a commit has a size limit, a paste does not.
 */
export function send(
  binding: Binding,
  most = Number.POSITIVE_INFINITY,
): { binding: Binding; splices: Splice[]; at: string } | undefined {
  if (binding.sent || binding.unsent.empty) return undefined
  const [sent, unsent] = divide(binding.unsent, most)
  return {
    binding: { ...binding, sent, unsent },
    splices: splicesOf(sent),
    at: binding.shared.version,
  }
}

/** A step for the editor: what to apply to what it shows. */
export interface BindingUpdate {
  readonly binding: Binding
  readonly changes: ChangeSet | undefined
}

/** The shared text changed. */
export function received(binding: Binding, shared: SharedText): BindingUpdate {
  if (!binding.sent) return rebase(binding, binding.shared.text, shared)
  const waits = { ...binding, waiting: shared }
  return binding.made ? landed(waits, shared) : { binding: waits, changes: undefined }
}

/**
 * The edit on its way was made: the newest shared text contains it, or the next one will. One that had no effect (`changed` is false), or
 * left the text as it was, is shown by no new text.
 */
export function confirmed(binding: Binding, changed: boolean): BindingUpdate {
  if (!binding.sent) return { binding, changes: undefined }
  if (binding.waiting) return landed(binding, binding.waiting)
  const { text } = binding.shared
  const asBefore = !changed || binding.sent.apply(textOf(text)).toString() === text
  return asBefore
    ? landed(binding, binding.shared)
    : { binding: { ...binding, made: true }, changes: undefined }
}

/** The edit on its way was refused: it must be sent again, rebased on the newest text. */
export function refused(binding: Binding): BindingUpdate {
  if (!binding.sent) return { binding, changes: undefined }
  const again: Binding = {
    ...bind(binding.shared),
    unsent: binding.sent.compose(binding.unsent),
  }
  return binding.waiting ? received(again, binding.waiting) : { binding: again, changes: undefined }
}

/** The edit on its way can never be made: the editor takes it back, and goes on with what was typed since. `lost` is the text in it. */
export function dropped(binding: Binding): BindingUpdate & { readonly lost: string } {
  const { sent, unsent, shared, waiting } = binding
  if (!sent) return { binding, changes: undefined, lost: '' }
  const back = sent.invert(textOf(shared.text))
  const without: Binding = { ...bind(shared), unsent: unsent.map(back, true) }
  const undo = back.map(unsent)
  const step = received(without, waiting ?? shared)
  const lost = splicesOf(sent)
    .map(({ insert }) => insert)
    .join('')
  return { ...step, changes: step.changes ? undo.compose(step.changes) : undo, lost }
}

/** Begins again with what the editor shows, when a step has failed: whatever the shared text may lack of it counts as typed. */
export function rebound(binding: Binding, shown: string): BindingUpdate {
  const again: Binding = {
    ...bind(binding.shared),
    unsent: changesBetween(binding.shared.text, shown),
  }
  return received(again, binding.waiting ?? binding.shared)
}

/** `shared` contains the edit that was on its way. */
function landed(binding: Binding, shared: SharedText): BindingUpdate {
  const expected = binding.sent!.apply(textOf(binding.shared.text)).toString()
  const settled = { ...binding, sent: undefined, waiting: undefined, made: false }
  return rebase(settled, expected, shared)
}

/** Rebases what was typed from the text in which it was typed to a newer shared text. */
function rebase(binding: Binding, before: string, shared: SharedText): BindingUpdate {
  const foreign = changesBetween(before, shared.text)
  const changes = foreign.map(binding.unsent)
  return {
    binding: { ...binding, shared, unsent: binding.unsent.map(foreign, true) },
    changes: changes.empty ? undefined : changes,
  }
}

function changesBetween(before: string, after: string): ChangeSet {
  if (before === after) return ChangeSet.empty(before.length)
  const specs = diff(before, after, { scanLimit: 1000 }).map(({ fromA, toA, fromB, toB }) => ({
    from: fromA,
    to: toA,
    insert: textOf(after.slice(fromB, toB)),
  }))
  return ChangeSet.of(specs, before.length)
}

/** Two sets of changes that make the same together, of which the first one changes at most `most` characters, and at least one. */
function divide(changes: ChangeSet, most: number): readonly [ChangeSet, ChangeSet] {
  const [first, rest]: [ChangeSpec[], ChangeSpec[]] = [[], []]
  let room = most
  let grown = 0
  changes.iterChanges((fromA, toA, _fromB, _toB, inserted) => {
    const deleted = Math.min(toA - fromA, room)
    room -= deleted
    const length = wholeCharacters(inserted, Math.min(inserted.length, room))
    room = length < inserted.length ? 0 : room - length
    const insert = inserted.slice(0, length)
    if (deleted > 0 || length > 0) first.push({ from: fromA, to: fromA + deleted, insert })
    grown += length - deleted
    const [from, to] = [fromA + deleted + grown, toA + grown]
    const later = inserted.slice(length)
    if (to > from || later.length > 0) rest.push({ from, to, insert: later })
  })
  const sent = ChangeSet.of(first, changes.length)
  return [sent, ChangeSet.of(rest, sent.newLength)]
}

/** At most `length` characters of a text, not ending in the middle of one that takes two units. */
function wholeCharacters(text: Text, length: number): number {
  if (length <= 1 || length >= text.length) return length
  const last = text.sliceString(length - 1, length).charCodeAt(0)
  return last >= 0xd8_00 && last <= 0xdb_ff ? length - 1 : length
}

function splicesOf(changes: ChangeSet): Splice[] {
  const splices: Splice[] = []
  changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
    splices.push({ index: fromB, deleteCount: toA - fromA, insert: inserted.toString() })
  })
  return splices
}

const textOf = (text: string): Text => Text.of(text.split('\n'))
