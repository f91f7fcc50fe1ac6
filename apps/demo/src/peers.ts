import type { PeerStatus, PlaneStatus, TabsStatus } from '@peerplane/browser'

import { h } from './dom.ts'
import type { Saving } from './outbox.ts'

const paths: Readonly<Record<PeerStatus['path'], { label: string; meaning: string }>> = {
  webrtc: { label: 'WebRTC', meaning: 'direct connection between the two browsers' },
  direct: { label: 'Direct', meaning: 'direct connection' },
  relay: { label: 'Relayed', meaning: 'through an anchor, until a direct connection works' },
  anchor: { label: 'Anchor', meaning: 'connection to an always-on device' },
}

/** Shows this device, its tabs and its peers in `parent`. */
export function showPeers(
  parent: HTMLElement,
  status: PlaneStatus,
  tabs: TabsStatus,
  saving: Saving,
): void {
  const commits = (count: number): string => `${count} change${count === 1 ? '' : 's'}`
  const own = peer('this device', status.device, [
    badge('here', tabs.role === 'leader' ? 'Leads' : 'Follows', roleMeaning(tabs.role)),
    text(`holds ${commits(status.commits)}`),
    text(stored(status, saving)),
    ...(status.waiting > 0 ? [text(`${commits(status.waiting)} wait for a cause`)] : []),
  ])
  const tab = (): HTMLElement =>
    peer('other tab', status.device, [
      badge('tab', 'Same browser', 'another tab of this browser; both use one store'),
    ])
  const others = status.peers.map((each) =>
    peer(each.anchor ? 'anchor' : 'device', each.device, [
      badge(each.path, paths[each.path].label, paths[each.path].meaning),
      text(`says it holds ${commits(each.announced)}`),
      text(each.pending === 0 ? 'lacks nothing' : `lacks ${commits(each.pending)} of ours`),
      ...(each.behind > 0 ? [text(`${commits(each.behind)} on the way to us`)] : []),
    ]),
  )
  const connections = status.network?.connections ?? []
  const foot = h(
    'p',
    { class: 'connections', 'data-connections': String(connections.length) },
    connections.length === 0
      ? 'No open connection.'
      : `Open connections: ${connections.map(({ path }) => paths[path].label).join(', ')}`,
  )
  const lonely = status.online && status.peers.length === 0 && tabs.role === 'leader'
  const hint = lonely
    ? [text('Devices find each other through an anchor. Open an invitation that comes from one.')]
    : []
  const problems = problemsOf(status).map((problem) => h('p', { class: 'problem' }, problem))
  parent.replaceChildren(
    own,
    ...Array.from({ length: tabs.others }, tab),
    ...others,
    foot,
    ...hint,
    ...problems,
  )
}

function stored({ storage, pendingCommands }: PlaneStatus, { state }: Saving): string {
  if (storage === 'failing') return 'storage fails'
  if (state === 'late') return 'not all stored'
  if (pendingCommands > 0) return `${pendingCommands} being stored`
  return state === 'stored' ? 'all stored on disk' : 'being stored'
}

/** What is wrong, and what to do about it. */
export function problemsOf({ undone, lastError, network }: PlaneStatus): string[] {
  const failure = lastError?.message ?? network?.lastError
  const changes = undone === 1 ? '1 change was' : `${undone} changes were`
  const lost = `${changes} made here and then taken back, because this browser could not store ${undone === 1 ? 'it' : 'them'}. Free space on this device, then repeat what is missing.`
  return [...(undone > 0 ? [lost] : []), ...(failure ? [failure] : [])]
}

/** One line for the top of the page. */
export function summary(
  { online, peers, pendingCommands }: PlaneStatus,
  { state }: Saving,
): string {
  if (state === 'late') return 'Not all is stored yet'
  if (!online) return 'Off the network: changes are kept here'
  if (peers.length === 0) return 'Nobody reachable: changes are kept here'
  const lacking = peers.filter(({ pending }) => pending > 0).length
  const devices = `${peers.length} device${peers.length === 1 ? '' : 's'}`
  if (pendingCommands > 0 || lacking > 0) return `Sharing with ${devices}…`
  return `In step with ${devices}`
}

const roleMeaning = (role: TabsStatus['role']): string =>
  role === 'leader'
    ? 'this tab owns storage and network for all tabs'
    : 'another tab owns storage and network'

function peer(kind: string, device: string, facts: readonly HTMLElement[]): HTMLElement {
  const name = device.slice(0, 6)
  const dot = h('span', {
    class: 'dot',
    style: `--hue: ${Number.parseInt(device.slice(0, 4), 16) % 360}`,
  })
  const head = h('p', { class: 'who' }, dot, h('strong', {}, name), ` ${kind}`)
  return h('article', { class: 'peer', 'data-kind': kind, 'data-device': device }, head, ...facts)
}

const badge = (kind: string, label: string, meaning: string): HTMLElement =>
  h('span', { class: `badge ${kind}`, 'data-path': kind, title: meaning }, label)

const text = (content: string): HTMLElement => h('p', { class: 'fact' }, content)
