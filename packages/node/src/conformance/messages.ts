import {
  fromHex,
  tipToValue,
  type Run,
  type SessionId,
  type Summary,
  type Tip,
  type Value,
} from '@peerplane/core'

/** Commits `from` to `to` of a session. */
export interface Range {
  readonly session: SessionId
  readonly from: number
  readonly to: number
}

/*
 * Messages as the protocol writes them down. They are written here by hand, and not by the code that is checked.
 */

export const summary = (nodes: readonly Summary[], reply = false): Value => [
  1,
  nodes.map(({ path, sessions, commits, digest }) => [path, sessions, commits, fromHex(digest)]),
  reply,
]
export const have = (tips: readonly Tip[], asks: readonly string[] = []): Value => [
  2,
  tips.map(tipToValue),
  asks,
]
export const want = (...ranges: readonly Range[]): Value => [
  3,
  ranges.map(({ session, from, to }) => [fromHex(session), from, to]),
]
export const runs = (...all: readonly Run[]): Value => [4, all.map(runToValue)]
export const list = (path: string, after: number): Value => [7, path, after]

function runToValue({ session, from, opening, batches, fork }: Run): Value {
  const evidence = opening ? [opening.bytes, opening.chain] : null
  return [fromHex(session), from, evidence, batches, ...(fork ? [fork] : [])]
}
