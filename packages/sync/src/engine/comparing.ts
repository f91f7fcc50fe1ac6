import { LEAF_SESSIONS, limits, type Summary, type Tip } from '@peerplane/core'

import { haveMessages, type Message } from '../wire/messages.ts'
import { learn, learnAgain, outstanding } from './knowledge.ts'
import { wake, type LinkState, type Transition } from './state.ts'
import { holdsSame, send, summaryOf, tellSummary } from './summaries.ts'
import { timing } from './types.ts'

/*
 * Two peers find what one of them lacks by comparing the digests of their tips, from the root of the trie down:
 *
 *     summary of everything  ─>
 *                            <─  summaries of 16 nodes          where both have many sessions
 *     summaries of 16 × n    ─>
 *                            <─  tips, and a request for theirs  where one has few
 *     tips                   ─>
 *
 * Each message is answered on its own: nothing is remembered between them.
 */

/** Takes in summaries of a peer. */
export function compareSummaries(
  step: Transition,
  link: LinkState,
  { nodes, reply }: Extract<Message, { readonly kind: 'summary' }>,
): void {
  const [root] = nodes
  if (root?.path === '') compareRoots(step, link, root)
  else answer(step, link, nodes)
  if (!reply || step.now < link.replyAt) return
  link.replyAt = step.now + timing.reply
  tellSummary(step, link)
}

function compareRoots(step: Transition, link: LinkState, root: Summary): void {
  const { state } = step
  link.remote = root
  if (!holdsSame(state, root)) {
    learnAgain(step, link)
    return lookForDifference(step, link)
  }
  link.claims.clear()
  link.failures.clear()
  link.walked = undefined
  link.leftUntil = undefined
  link.equalAt = step.now
  const own = state.ownSession && state.log.delivered().get(state.ownSession)
  if (own && !link.following) link.pushed = { session: own.session, seq: own.seq }
}

/** Looks for the difference to a peer, if there is one and nothing else is about to remove it. */
export function lookForDifference(step: Transition, link: LinkState): void {
  const { state, now } = step
  const { remote, walked } = link
  if (!remote || link.congested) return
  if (walked) {
    const active = Math.max(link.progressAt, link.servedAt)
    const quiet = Math.min(active + timing.quiet, walked.at + timing.summary)
    const due = Math.max(walked.at + timing.reply, quiet)
    if (now < due) return wake(step, due)
    if (now < walked.at + timing.summary && outstanding(step, link) > 0) return
  }
  if (holdsSame(state, remote)) return
  const own = state.log.tips.summary()
  const pair = `${own.digest} ${remote.digest}`
  if (walked) {
    const due = walked.at + timing.again
    if (walked.pair === pair && now < due) return wake(step, due)
  } else if (remote.commits <= own.commits && now < link.equalAt + timing.quiet) {
    // A peer that was sent something a moment ago does not have it yet.
    return wake(step, link.equalAt + timing.quiet)
  } else if (isLeftToPeer(own, remote)) {
    link.leftUntil ??= now + timing.quiet
    if (now < link.leftUntil) return wake(step, link.leftUntil)
  }
  link.walked = { pair, at: now }
  link.list = undefined
  answer(step, link, [remote])
}

/**
 * Whether the peer begins: when both would answer the root of the other with its children, all that follows would be sent twice. The one whose
 * digest is smaller answers.
 */
const isLeftToPeer = (own: Summary, remote: Summary): boolean =>
  own.sessions > LEAF_SESSIONS &&
  remote.sessions > LEAF_SESSIONS &&
  own.sessions * 2 >= remote.sessions &&
  own.digest > remote.digest

/** Answers summaries of nodes with what the peer needs to find the difference below them. */
function answer(step: Transition, link: LinkState, nodes: readonly Summary[]): void {
  if (link.congested) return
  const { tips } = step.state.log
  const below: Summary[] = []
  const told: Tip[] = []
  const asked: string[] = []
  for (const node of nodes) {
    const { path } = node
    const own = tips.summary(path)
    if (own.digest === node.digest) continue
    if (below.length + 16 > limits.summariesPerMessage) break
    const isSmall = own.sessions <= LEAF_SESSIONS
    if (isSmall && node.sessions <= LEAF_SESSIONS) {
      told.push(...tips.under(path))
      asked.push(path)
    } else if (node.sessions <= LEAF_SESSIONS) {
      asked.push(path)
      below.push(own)
    } else if ((isSmall || own.sessions * 2 < node.sessions) && list(step, link, path)) {
      if (isSmall) told.push(...tips.under(path))
    } else below.push(...tips.children(path))
  }
  if (below.length > 0) send(step, link, summaryOf(below, false))
  for (const message of haveMessages(told, asked)) send(step, link, message)
}

/**
 * Reads all tips of a peer below a path, page by page; `false` if another list is being read. The caller then goes down from the path: if it left
 * the path for later, and what is listed now waits for what is below this path, the same path would be listed again each time.
 */
function list(step: Transition, link: LinkState, path: string): boolean {
  if (link.list) return false
  link.list = { path, after: 0, asked: false, page: undefined }
  continueList(step, link)
  return true
}

/** Takes in the page that has come if there is room for it, and asks for the one after it: so one is on its way while another is worked off. */
export function continueList(step: Transition, link: LinkState): void {
  const reading = link.list
  if (!reading) return
  const { path, after, page } = reading
  // What has come in is announced first: while the peer is known to have it, nobody tells the peer.
  const isAnnounced = step.state.told.size >= step.state.log.delivered().size
  if (page && isAnnounced && outstanding(step, link) <= limits.claimsPerLink - limits.tipsPerPage) {
    const goesOn = page.next > after
    link.list = goesOn ? { path, after: page.next, asked: false, page: undefined } : undefined
    learn(step, link, page.tips)
  }
  if (!link.list || link.list.asked || link.list.page) return
  link.list = { ...link.list, asked: true }
  send(step, link, { kind: 'list', path, after: link.list.after })
}

/** Takes a page. */
export function takePage(
  step: Transition,
  link: LinkState,
  { path, tips, next }: Extract<Message, { readonly kind: 'page' }>,
): void {
  if (link.list?.path !== path || !link.list.asked) return
  link.list = { ...link.list, asked: false, page: { tips, next } }
  continueList(step, link)
}

/** Serves a page of a list. */
export function servePage(step: Transition, link: LinkState, path: string, after: number): void {
  if (link.congested) return
  send(step, link, {
    kind: 'page',
    path,
    ...step.state.log.tips.page(path, after, limits.tipsPerPage),
  })
}

/** Tells a peer the tips below the paths that it asks for. */
export function serveTips(step: Transition, link: LinkState, paths: readonly string[]): void {
  if (link.congested) return
  const tips = paths.flatMap((path) => step.state.log.tips.under(path))
  for (const message of haveMessages(tips)) send(step, link, message)
}
