import { eraseSpace, spaces, type StoredSpace } from '@peerplane/browser'

import { byId, h, sentence } from './dom.ts'

/** Lets the person see, open and erase the workspaces of this browser; `current` is the one of this page. */
export function offerWorkspaces(current: string, say: (error: unknown) => void): void {
  const dialog = byId('workspaces', HTMLDialogElement)
  const list = byId('workspace-list', HTMLUListElement)
  const show = async (): Promise<void> => {
    const found = await spaces()
    const rows = found.map((space) =>
      row(space, current, () => void erase(space.name).catch(failed)),
    )
    list.replaceChildren(...rows)
    byId('workspace-none', HTMLElement).hidden = rows.length > 0
  }
  const erase = async (name: string): Promise<void> => {
    await eraseSpace(name)
    // This page starts again with an empty store, which takes any invitation.
    if (name === current) location.reload()
    else await show()
  }
  const failed = (error: unknown): void => {
    dialog.close()
    say(error)
  }
  byId('show-workspaces', HTMLButtonElement).addEventListener('click', () => {
    show().then(() => dialog.showModal(), failed)
  })
}

/** One workspace, with what can be done with it. */
function row(space: StoredSpace, current: string, erase: () => void): HTMLElement {
  const { name, problem } = space
  const isCurrent = name === current
  const open = h('a', { href: address(name) }, 'Open')
  const start = h('button', { type: 'button', 'aria-label': `Erase ${name}` }, 'Erase')
  const sure = h('button', { type: 'button', class: 'danger' }, 'Erase it')
  const keep = h('button', { type: 'button' }, 'Keep it')
  const actions = h('p', { class: 'actions' }, ...(isCurrent ? [] : [open]), start)
  const question = h('p', { class: 'question' }, warning(space), sure, keep)
  question.hidden = true
  const ask = (asks: boolean): void => {
    question.hidden = !asks
    actions.hidden = asks
    ;(asks ? keep : start).focus()
  }
  start.addEventListener('click', () => ask(true))
  keep.addEventListener('click', () => ask(false))
  sure.addEventListener('click', () => {
    sure.disabled = true
    erase()
  })
  return h(
    'li',
    { 'data-workspace': name },
    h('p', { class: 'who' }, h('strong', {}, name), isCurrent ? ' this page' : ''),
    h('p', { class: 'fact' }, sharing(space)),
    ...(problem ? [h('p', { class: 'problem' }, sentence(problem.message))] : []),
    actions,
    question,
  )
}

const address = (name: string): string => {
  const url = new URL(location.pathname, location.href)
  url.searchParams.set('workspace', name)
  return url.href
}

const sharing = ({ shared }: StoredSpace): string => {
  if (shared === undefined) return 'It is not known whether other devices have it.'
  return shared ? 'Other devices may have it, too.' : 'Only this browser has it.'
}

const warning = ({ shared }: StoredSpace): string =>
  shared === false
    ? 'No other device has it: all of it will be gone for good.'
    : 'What no other device has will be gone for good. To come back takes a new invitation.'
