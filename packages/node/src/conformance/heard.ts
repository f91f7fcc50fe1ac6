import {
  arrayField,
  bytesField,
  decodeCanonical,
  HASH_BYTES,
  limits,
  listField,
  reasonOf,
  SESSION_BYTES,
  textField,
  readTip,
  toHex,
  wholeField,
  type Run,
  type SessionId,
  type Summary,
  type Tip,
  type Value,
} from '@peerplane/core'

import type { Range } from './messages.ts'
import type { RuleId } from './rules.ts'

/** A message of the peer. */
export type Heard =
  | { readonly kind: 'summary'; readonly nodes: readonly Summary[]; readonly reply: boolean }
  | { readonly kind: 'have'; readonly tips: readonly Tip[]; readonly asks: readonly string[] }
  | { readonly kind: 'want'; readonly ranges: readonly Range[] }
  | { readonly kind: 'runs'; readonly runs: readonly Run[] }
  | { readonly kind: 'peers'; readonly peers: readonly string[] }
  | { readonly kind: 'bye'; readonly reason: string }
  | { readonly kind: 'list'; readonly path: string; readonly after: number }
  | {
      readonly kind: 'page'
      readonly path: string
      readonly tips: readonly Tip[]
      readonly next: number
    }
  /** A newer peer may say more. */
  | { readonly kind: 'unknown' }

/** A frame that breaks a rule. */
export class BrokenFrame extends Error {
  readonly rule: RuleId

  constructor(rule: RuleId, reason: string) {
    super(reason)
    this.rule = rule
  }
}

/** Which rule says what a message has. */
export const formOf = {
  summary: 'R-SUMMARY-1',
  have: 'R-HAVE-1',
  want: 'R-WANT-1',
  runs: 'R-RUN-5',
  peers: 'R-PEERS-1',
  bye: 'R-BYE-1',
  list: 'R-LIST-1',
  page: 'R-LIST-2',
  unknown: 'R-MESSAGE-1',
} as const satisfies Record<Heard['kind'], RuleId>

const kinds = [
  undefined,
  'summary',
  'have',
  'want',
  'runs',
  'peers',
  'bye',
  'list',
  'page',
] as const

/** Reads a frame of the peer. Throws {@link BrokenFrame}. */
export function readFrame(frame: Uint8Array): Heard {
  const value = judged('R-FORM-2', () => decodeCanonical(frame))
  const fields = judged('R-MESSAGE-1', () => arrayField(value, 'the message'))
  const number = judged('R-MESSAGE-1', () => wholeField(fields[0], 'the kind'))
  const kind = kinds[number] ?? 'unknown'
  return judged(formOf[kind], () => readers[kind](fields))
}

function judged<Result>(rule: RuleId, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof BrokenFrame) throw error
    throw new BrokenFrame(rule, reasonOf(error))
  }
}

const readers: Readonly<Record<Heard['kind'], (fields: readonly Value[]) => Heard>> = {
  summary: (given) => {
    const fields = arrayField(given, 'a summary', 3)
    if (typeof fields[2] !== 'boolean') throw new Error('reply is neither true nor false')
    const nodes = listField(fields[1], 'a summary', limits.summariesPerMessage, readSummary)
    return { kind: 'summary', nodes, reply: fields[2] }
  },
  have: (given) => {
    const fields = arrayField(given, 'a have', 3)
    const asks = listField(fields[2], 'the paths', limits.pathsPerMessage, readPath)
    return { kind: 'have', tips: readTips(fields[1], limits.tipsPerMessage), asks }
  },
  want: (given) => {
    const [, ranges] = arrayField(given, 'a want', 2)
    const read = listField(ranges, 'the ranges', limits.wantsPerMessage, (each) => {
      const fields = arrayField(each, 'a range', 3)
      const from = wholeField(fields[1], 'from', 1)
      return { session: readSession(fields[0]), from, to: wholeField(fields[2], 'to', from) }
    })
    return { kind: 'want', ranges: read }
  },
  runs: (given) => {
    const [, all] = arrayField(given, 'a runs', 2)
    const read = listField(all, 'the runs', limits.runsPerMessage, readRun)
    if (read.length === 0) throw new Error('a runs has no run')
    if (new Set(read.map(({ session }) => session)).size < read.length)
      throw new Error('two runs are of one session')
    const bytes = read.reduce((sum, run) => sum + sizeOf(run), 0)
    if (read.length > 1 && bytes > limits.runsBytes)
      throw new BrokenFrame('R-RUN-9', `several runs have ${bytes} bytes`)
    return { kind: 'runs', runs: read }
  },
  peers: (given) => {
    const [, all] = arrayField(given, 'a peers', 2)
    const peers = listField(all, 'the peers', limits.peersPerMessage, (each) => {
      const [peer, addresses, device] = arrayField(each, 'a peer', 3)
      listField(addresses, 'the addresses', limits.invitationAddresses, (address) =>
        textField(address, 'an address', 256),
      )
      bytesField(device, 'the device', HASH_BYTES)
      return textField(peer, 'the network id', 128)
    })
    return { kind: 'peers', peers }
  },
  bye: (given) => ({
    kind: 'bye',
    reason: textField(arrayField(given, 'a bye', 2)[1], 'the reason', 64),
  }),
  list: (given) => {
    const [, path, after] = arrayField(given, 'a list', 3)
    return { kind: 'list', path: readPath(path), after: wholeField(after, 'after') }
  },
  page: (given) => {
    const [, path, tips, next] = arrayField(given, 'a page', 4)
    return {
      kind: 'page',
      path: readPath(path),
      tips: readTips(tips, limits.tipsPerPage),
      next: wholeField(next, 'next'),
    }
  },
  unknown: () => ({ kind: 'unknown' }),
}

const readTips = (value: Value | undefined, most: number): Tip[] =>
  listField(value, 'the tips', most, (each) => judged('R-TIP-1', () => readTip(each, 'a tip')))

const readSession = (value: Value | undefined): SessionId =>
  toHex(bytesField(value, 'a session', SESSION_BYTES)) as SessionId

function readPath(value: Value | undefined): string {
  const path = textField(value, 'a path', 2 * SESSION_BYTES)
  if (!/^[0-9a-f]*$/.test(path)) throw new BrokenFrame('R-TIP-2', 'a path is not hexadecimal')
  return path
}

function readSummary(value: Value): Summary {
  const fields = arrayField(value, 'a node', 4)
  return {
    path: readPath(fields[0]),
    sessions: wholeField(fields[1], 'sessions'),
    commits: wholeField(fields[2], 'commits'),
    digest: toHex(bytesField(fields[3], 'the digest', 16)),
  }
}

function readRun(value: Value): Run {
  const fields = arrayField(value, 'a run')
  const from = wholeField(fields[1], 'from', 1)
  const fork =
    fields.length === 5 ? judged('R-FORM-7', () => bytesField(fields[4], 'the proof')) : undefined
  if (!fork) arrayField(fields, 'a run', 4)
  if ((from === 1) !== (fields[2] !== null))
    throw new BrokenFrame(
      'R-RUN-7',
      `a run from commit ${from} comes ${from === 1 ? 'without' : 'with'} an opening`,
    )
  const batches = judged('R-RUN-2', () =>
    listField(fields[3], 'the batches', limits.runBatches, (each) => bytesField(each, 'a batch')),
  )
  if (batches.length === 0 && !fork) throw new BrokenFrame('R-RUN-1', 'a run has no batch')
  const run: Run = {
    session: readSession(fields[0]),
    from,
    opening: readOpening(fields[2]),
    batches,
  }
  if (batches.length > 1 && sizeOf(run) > limits.runBytes)
    throw new BrokenFrame('R-RUN-2', `a run has ${sizeOf(run)} bytes`)
  return fork ? { ...run, fork } : run
}

function readOpening(value: Value | undefined): Run['opening'] {
  if (value === null) return undefined
  const [bytes, chain] = arrayField(value, 'the opening', 2)
  return {
    bytes: judged('R-FORM-7', () => bytesField(bytes, 'the opening')),
    chain: judged('R-MEMBER-1', () =>
      listField(chain, 'the chain', limits.admissionChain, (each) =>
        bytesField(each, 'an admission'),
      ),
    ),
  }
}

const sizeOf = ({ batches, fork }: Run): number =>
  batches.reduce((sum, batch) => sum + batch.length, fork?.length ?? 0)
