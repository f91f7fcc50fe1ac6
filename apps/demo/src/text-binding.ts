import { diff } from '@codemirror/merge'
import { ChangeSet, Text } from '@codemirror/state'

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

/** The edit to send now, with the version its positions refer to; `undefined` while one is on its way or nothing was typed. */
export function send(
  binding: Binding,
): { binding: Binding; splices: Splice[]; at: string } | undefined {
  if (binding.sent || binding.unsent.empty) return undefined
  const sent = binding.unsent
  return {
    binding: { ...binding, sent, unsent: ChangeSet.empty(sent.newLength) },
    splices: splicesOf(sent),
    at: binding.shared.version,
  }
}

/** A step for the editor: what to apply to what it shows. */
export interface Step {
  readonly binding: Binding
  readonly changes: ChangeSet | undefined
}

/** The shared text changed. */
export function received(binding: Binding, shared: SharedText): Step {
  if (!binding.sent) return rebase(binding, binding.shared.text, shared)
  const waits = { ...binding, waiting: shared }
  return binding.made ? landed(waits, shared) : { binding: waits, changes: undefined }
}

/**
 * The edit on its way was made: the newest shared text contains it, or the next one will. One that had no effect (`changed` is false), or
 * left the text as it was, is shown by no new text.
 */
export function confirmed(binding: Binding, changed: boolean): Step {
  if (!binding.sent) return { binding, changes: undefined }
  if (binding.waiting) return landed(binding, binding.waiting)
  const { text } = binding.shared
  const asBefore = !changed || binding.sent.apply(textOf(text)).toString() === text
  return asBefore
    ? landed(binding, binding.shared)
    : { binding: { ...binding, made: true }, changes: undefined }
}

/** The edit on its way was not made: it is to be sent again, upon the newest text. */
export function refused(binding: Binding): Step {
  if (!binding.sent) return { binding, changes: undefined }
  const again: Binding = {
    ...bind(binding.shared),
    unsent: binding.sent.compose(binding.unsent),
  }
  return binding.waiting ? received(again, binding.waiting) : { binding: again, changes: undefined }
}

/** Begins again with what the editor shows, when a step has failed: whatever the shared text may lack of it counts as typed. */
export function rebound(binding: Binding, shown: string): Step {
  const again: Binding = {
    ...bind(binding.shared),
    unsent: changesBetween(binding.shared.text, shown),
  }
  return received(again, binding.waiting ?? binding.shared)
}

/** `shared` contains the edit that was on its way. */
function landed(binding: Binding, shared: SharedText): Step {
  const expected = binding.sent!.apply(textOf(binding.shared.text)).toString()
  const settled = { ...binding, sent: undefined, waiting: undefined, made: false }
  return rebase(settled, expected, shared)
}

/** Carries what was typed over from the text it was typed upon to a newer shared text. */
function rebase(binding: Binding, before: string, shared: SharedText): Step {
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

function splicesOf(changes: ChangeSet): Splice[] {
  const splices: Splice[] = []
  changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
    splices.push({ index: fromB, deleteCount: toA - fromA, insert: inserted.toString() })
  })
  return splices
}

const textOf = (text: string): Text => Text.of(text.split('\n'))
