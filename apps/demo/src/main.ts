import { invitationIn, open, PeerplaneError, type BrowserPlane } from '@peerplane/browser'

import { openBoard } from './board.ts'
import { byId, h } from './dom.ts'
import { openEditor } from './editor.ts'
import { entities, Note } from './entities.ts'
import { showPeers, summary } from './peers.ts'

const notice = byId('notice', HTMLElement)

start().catch(explain)

async function start(): Promise<void> {
  const join = invitationIn(location.href)
  const space = new URL(location.href).searchParams.get('workspace') ?? 'workspace'
  const plane = await open({ entities, space, join })
  history.replaceState(null, '', location.pathname + location.search)

  openEditor(byId('editor', HTMLElement), plane.get(Note, 'notes'), say)
  openBoard(byId('board', HTMLElement), plane, say)
  showStatus(plane)
  offerSwitch(plane)
  offerInvitation(plane)
}

function showStatus(plane: BrowserPlane): void {
  const show = (): void => {
    const status = plane.status()
    if (!status) return
    byId('summary', HTMLElement).textContent = summary(status)
    showPeers(byId('peers', HTMLElement), status, plane.tabs())
    const online = byId('online', HTMLInputElement)
    online.disabled = false
    online.checked = status.online
  }
  plane.onStatus(show)
  plane.onTabs(show)
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
  button.disabled = false
  button.addEventListener('click', () => {
    plane.invite().then((invitation) => {
      link.value = `${location.origin}${location.pathname}#join=${invitation}`
      dialog.showModal()
      link.select()
    }, say)
  })
  byId('copy', HTMLButtonElement).addEventListener('click', () => {
    navigator.clipboard.writeText(link.value).then(() => {
      byId('copy', HTMLButtonElement).textContent = 'Copied'
    }, say)
  })
}

/** Tells of a failure that does not keep the page from working. */
function say(error: unknown): void {
  notice.textContent = error instanceof Error ? error.message : String(error)
  notice.hidden = false
}

/** Tells why the workspace could not be opened, and what can be done. */
function explain(error: unknown): void {
  say(error)
  byId('summary', HTMLElement).textContent = 'Not open'
  if (!(error instanceof PeerplaneError)) return
  if (error.code === 'wrong-space') {
    notice.textContent = 'This browser already has another workspace.'
    const url = new URL(location.href)
    url.searchParams.set('workspace', crypto.randomUUID().slice(0, 8))
    notice.append(' ', h('a', { href: url.href }, 'Open the new one beside it'), '.')
  } else if (error.code.endsWith('invitation')) {
    const own = location.pathname + location.search
    notice.append(' ', h('a', { href: own }, 'Open your own workspace instead'), '.')
  }
}
