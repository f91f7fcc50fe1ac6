import { ChangeSet, Text } from '@codemirror/state'

import type { Left } from './outbox.ts'

/** What was left, and the text that the editor showed. */
export type Found = Left & { readonly text: string }

const nameOf = (workspace: string): string => `peerplane-demo:left:${workspace}`

/** Keeps what is left, or nothing, for the page that comes after this one in its tab. */
export function keepLeft(workspace: string, left: Left | undefined): void {
  try {
    if (!left) return sessionStorage.removeItem(nameOf(workspace))
    const { binding, sending, refused } = left
    const { shared, sent, unsent } = binding
    const changes = { sent: sent?.toJSON() as unknown, unsent: unsent.toJSON() as unknown }
    sessionStorage.setItem(
      nameOf(workspace),
      JSON.stringify({ shared, ...changes, sending, refused }),
    )
  } catch {
    // Ignored: it is larger than the browser gives; what was sent is on its way.
  }
}

/** What the page before has left. It is found once: a tab that was copied must not make it again. */
export function takeLeft(workspace: string): Found | undefined {
  const kept = sessionStorage.getItem(nameOf(workspace))
  if (!kept) return undefined
  sessionStorage.removeItem(nameOf(workspace))
  try {
    const { shared, sent: first, unsent: rest, ...others } = JSON.parse(kept) as Kept
    const sent = first === undefined ? undefined : ChangeSet.fromJSON(first)
    const unsent = ChangeSet.fromJSON(rest)
    const before = Text.of(shared.text.split('\n'))
    const text = (sent ? sent.compose(unsent) : unsent).apply(before).toString()
    return { ...others, text, binding: { shared, sent, unsent, waiting: undefined, made: false } }
  } catch {
    // Ignored: what is kept does not fit the text any longer; the text itself comes with the space.
    return undefined
  }
}

interface Kept extends Omit<Left, 'binding'> {
  readonly shared: Left['binding']['shared']
  readonly sent?: unknown
  readonly unsent: unknown
}
