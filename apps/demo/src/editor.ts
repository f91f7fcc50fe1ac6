import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { Annotation, EditorState, Transaction } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import type { EntityClient } from '@peerplane/browser'

import { keepLeft, takeLeft } from './left.ts'
import type { Note } from './entities.ts'
import { Outbox, type OutboxPorts, type Saving } from './outbox.ts'

/** Marks what came from elsewhere: it is not sent back, and undo leaves it alone. */
const foreign = Annotation.define<boolean>()

/** The editor of a page. */
export interface Editor {
  /** Forgets what was refused. */
  dismiss(): void
}

/**
 * An editor for the text of `note` in `parent`; it can be typed in as soon as the text is loaded. What is not stored when the page goes away
 * is found again by the page that comes after it in this tab; `workspace` tells the texts apart.
 */
export function openEditor(
  parent: HTMLElement,
  note: EntityClient<typeof Note>,
  outcome: OutboxPorts['outcome'],
  workspace: string,
  changed: (saving: Saving) => void,
): Editor {
  let outbox: Outbox | undefined
  let view: EditorView | undefined
  const ports: OutboxPorts = {
    edit: (splices, how) => note.edit({ splices }, how),
    outcome,
    show: (changes) =>
      view?.dispatch({
        changes,
        annotations: [foreign.of(true), Transaction.addToHistory.of(false)],
      }),
    shown: () => view?.state.doc.toString() ?? '',
    after: (ms, task) => {
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
    newId: () => crypto.randomUUID(),
    changed,
  }
  const keep = (): void => keepLeft(workspace, outbox?.left())

  const begin = (text: string, version: string): void => {
    const left = takeLeft(workspace)
    view = create(parent, left?.text ?? text, (changes) => outbox!.typed(changes))
    outbox = left ? Outbox.from(left, ports) : new Outbox({ text, version }, ports)
  }
  note.subscribe((state, version) => {
    if (!outbox) begin(state.text, version)
    outbox!.received({ text: state.text, version })
  })
  addEventListener('pagehide', () => {
    outbox?.send()
    keep()
  })
  document.addEventListener('visibilitychange', keep)
  return { dismiss: () => outbox?.dismiss() }
}

function create(
  parent: HTMLElement,
  text: string,
  typed: (changes: Transaction['changes']) => void,
): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(),
        // Otherwise the editor takes the focus back when it loses it at the end of a wrapped line.
        drawSelection(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        placeholder('Write here. Everybody in this workspace sees it.'),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'Shared notes' }),
        EditorView.updateListener.of(({ transactions }) => {
          for (const transaction of transactions) {
            if (transaction.docChanged && !transaction.annotation(foreign))
              typed(transaction.changes)
          }
        }),
      ],
    }),
  })
}
