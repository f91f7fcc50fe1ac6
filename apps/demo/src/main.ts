import { invitationIn, open, PeerplaneError, type BrowserPlane } from '@peerplane/browser'

import { openBoard } from './board.ts'
import { byId, h, sentence } from './dom.ts'
import { openEditor } from './editor.ts'
import { entities, Note } from './entities.ts'
import type { Saving } from './outbox.ts'
import { showPeers, summary } from './peers.ts'
import { showSaving } from './saving.ts'
import { offerWorkspaces } from './workspaces.ts'

const notice = byId('notice', HTMLElement)

start().catch(explain)

async function start(): Promise<void> {
  const join = invitationIn(location.href)
  const space = new URL(location.href).searchParams.get('workspace') ?? 'workspace'
  offerWorkspaces(space, say)
  const plane = await open({ entities, space, join })
  history.replaceState(null, '', location.pathname + location.search)

  let saving: Saving = { state: 'stored', reason: undefined, refused: undefined }
  const show = (): void => showStatus(plane, saving)
  const editor = openEditor(
    byId('editor', HTMLElement),
    plane.get(Note, 'notes'),
    (operationId) => plane.outcome(operationId),
    space,
    (next) => {
      const isNews = next.state !== saving.state
      saving = next
      showSaving(saving, () => editor.dismiss())
      if (isNews) show()
    },
  )
  addEventListener('beforeunload', (event) => {
    if (saving.state === 'late') event.preventDefault()
  })
  openBoard(byId('board', HTMLElement), plane, say)
  plane.onStatus(show)
  plane.onTabs(show)
  offerSwitch(plane)
  offerInvitation(plane)
}

function showStatus(plane: BrowserPlane, saving: Saving): void {
  const status = plane.status()
  if (!status) return
  if (status.lastError?.code === 'closed') {
    return explain(new PeerplaneError('closed', 'this workspace was erased in this browser'))
  }
  byId('summary', HTMLElement).textContent = summary(status, saving)
  showPeers(byId('peers', HTMLElement), status, plane.tabs(), saving)
  const online = byId('online', HTMLInputElement)
  online.disabled = false
  online.checked = status.online
}

function offerSwitch(plane: BrowserPlane): void {
  const online = byId('online', HTMLInputElement)
  online.addEventListener('change', () => {
    const change = online.checked ? plane.goOnline() : plane.goOffline()
    change.catch(say)
  })
}

function offerInvitation(plane: BrowserPlane): void {
  const dialog = byId('invitation', HTMLDialogElement)
  const link = byId('link', HTMLInputElement)
  const button = byId('invite', HTMLButtonElement)
  const copy = byId('copy', HTMLButtonElement)
  button.disabled = false
  button.addEventListener('click', () => {
    plane.invite().then((invitation) => {
      const anchored = plane.status()?.peers.some(({ anchor }) => anchor) ?? false
      byId('alone', HTMLElement).hidden = anchored
      link.value = `${location.origin}${location.pathname}#join=${invitation}`
      copy.textContent = 'Copy link'
      dialog.showModal()
      link.select()
    }, say)
  })
  copy.addEventListener('click', () => {
    link.select()
    // Ignored: the button then asks the person to copy by hand.
    navigator.clipboard.writeText(link.value).then(
      () => (copy.textContent = 'Copied'),
      () => (copy.textContent = 'Copy it with the keyboard'),
    )
  })
}

/** Tells of a failure that does not keep the page from working. */
function say(error: unknown): void {
  const close = h(
    'button',
    { type: 'button', class: 'close', 'aria-label': 'Close this message' },
    '×',
  )
  close.addEventListener('click', () => (notice.hidden = true))
  tell(messageOf(error), close)
}

/** Tells why the workspace could not be opened, and what can be done. */
function explain(error: unknown): void {
  byId('summary', HTMLElement).textContent = 'Not open'
  byId('workspace', HTMLElement).hidden = true
  const message = messageOf(error)
  const code = error instanceof PeerplaneError ? error.code : ''
  if (code === 'wrong-space') {
    const url = new URL(location.href)
    url.searchParams.set('workspace', crypto.randomUUID().slice(0, 8))
    const beside = h('a', { href: url.href }, 'Open the new one beside it')
    tell('This browser already has another workspace.', beside)
  } else if (code.endsWith('invitation')) {
    const own = location.pathname + location.search
    tell(message, h('a', { href: own }, 'Open your own workspace instead'))
  } else if (code === 'closed') {
    tell(message, h('a', { href: location.pathname + location.search }, 'Start again here'))
  } else if (code.startsWith('stor')) {
    const list = h('button', { type: 'button' }, 'Show the workspaces in this browser')
    list.addEventListener('click', () => byId('show-workspaces', HTMLElement).click())
    tell(message, list)
  } else {
    tell(message)
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

function tell(message: string, ...more: readonly HTMLElement[]): void {
  notice.replaceChildren(h('span', {}, sentence(message)), ...more)
  notice.hidden = false
}
