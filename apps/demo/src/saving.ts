import { byId } from './dom.ts'
import type { Saving } from './outbox.ts'

/** Shows below the editor what of its text is not stored, and what cannot be; `dismiss` is called when the person wants no more of it. */
export function showSaving({ state, reason, refused }: Saving, dismiss: () => void): void {
  const late = byId('late', HTMLElement)
  late.hidden = state !== 'late'
  late.textContent = `What was typed last is not stored yet. It is tried again; keep this page open.${reason === undefined ? '' : ` ${sentence(reason)}`}`
  byId('refused', HTMLElement).hidden = refused === undefined
  if (!refused) return
  byId('refused-reason', HTMLElement).textContent = sentence(refused.reason)
  const text = byId('refused-text', HTMLTextAreaElement)
  if (text.value !== refused.text) text.value = refused.text
  const copy = byId('refused-copy', HTMLButtonElement)
  copy.textContent = 'Copy the text'
  copy.onclick = () => {
    text.select()
    // Ignored: the button then asks the person to copy by hand.
    navigator.clipboard.writeText(text.value).then(
      () => (copy.textContent = 'Copied'),
      () => (copy.textContent = 'Copy it with the keyboard'),
    )
  }
  byId('refused-dismiss', HTMLButtonElement).onclick = dismiss
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
