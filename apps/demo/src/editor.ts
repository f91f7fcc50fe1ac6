import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { Annotation, EditorState, Transaction } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import type { EntityClient } from '@peerplane/browser'

import type { Note } from './entities.ts'
import {
  bind,
  confirmed,
  rebound,
  received,
  refused,
  send,
  typed,
  type Binding,
  type Step,
} from './text-binding.ts'

/** Marks what came from elsewhere: it is not sent back, and undo leaves it alone. */
const foreign = Annotation.define<boolean>()

/** Keystrokes wait this long for each other, in milliseconds: one commit holds them all. */
const GATHER_MS = 25
const RETRY_MS = 1_000

/** An editor for the text of `note` in `parent`; it can be typed in as soon as the text is loaded. */
export function openEditor(
  parent: HTMLElement,
  note: EntityClient<typeof Note>,
  failed: (error: unknown) => void,
): void {
  let binding: Binding | undefined
  let view: EditorView | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const apply = ({ binding: next, changes }: Step): void => {
    if (changes) {
      view?.dispatch({
        changes,
        annotations: [foreign.of(true), Transaction.addToHistory.of(false)],
      })
    }
    binding = next
  }
  /** A step that fails must not end the sending: what the editor shows is kept, and sent. */
  const take = (step: (before: Binding) => Step): void => {
    try {
      apply(step(binding!))
    } catch (error) {
      failed(error)
      apply(rebound(binding!, view!.state.doc.toString()))
    }
  }

  const sendSoon = (afterMs: number): void => {
    timer ??= setTimeout(sendNow, afterMs)
  }

  const sendNow = (): void => {
    clearTimeout(timer)
    timer = undefined
    const out = binding && send(binding)
    if (!out) return
    binding = out.binding
    note.edit({ splices: out.splices }, { at: out.at }).then(
      ({ commit }) => {
        take((before) => confirmed(before, commit !== undefined))
        if (!binding!.unsent.empty) sendSoon(0)
      },
      (error: unknown) => {
        failed(error)
        take(refused)
        sendSoon(RETRY_MS)
      },
    )
  }

  const create = (text: string): EditorView =>
    new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          history(),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          placeholder('Write here. Everybody in this workspace sees it.'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Shared notes' }),
          EditorView.updateListener.of(({ transactions }) => {
            for (const transaction of transactions) {
              if (!transaction.docChanged || transaction.annotation(foreign)) continue
              binding = typed(binding!, transaction.changes)
              sendSoon(GATHER_MS)
            }
          }),
        ],
      }),
    })

  note.subscribe((state, version) => {
    const shared = { text: state.text, version }
    if (binding) {
      take((before) => received(before, shared))
      // An edit that was made before it was shown has held back what was typed since.
      if (!binding.unsent.empty) sendSoon(0)
      return
    }
    binding = bind(shared)
    view = create(shared.text)
  })
  addEventListener('pagehide', sendNow)
}
