/** One operation on one register in the history of a client. In a history, each value may be written only once to the same key. */
export type RegisterOperation =
  | { readonly kind: 'write'; readonly key: string; readonly value: string }
  /** `undefined`: the initial value. */
  | { readonly kind: 'read'; readonly key: string; readonly value: string | undefined }

/** A pattern that cannot occur in the history of a causally consistent store. */
export interface CausalViolation {
  /** The name of the pattern in the paper by Bouajjani and others (2017). */
  readonly pattern: 'ThinAirRead' | 'CyclicCO' | 'WriteCOInitRead' | 'WriteCORead' | 'CyclicCF'
  readonly what: string
}

interface Node {
  readonly operation: RegisterOperation
  readonly session: number
  readonly index: number
  /** For a read, the write it reads. */
  source: Node | undefined
  /** By session, the index of the last operation in the causal past, this one included. */
  past: Int32Array | undefined
}

/**
 * Checks histories of registers for causal convergence, or, without `convergent`, only for causal consistency. The method of the check is from "On
 * Verifying Causal Consistency" (Bouajjani, Enea, Guerraoui, Hamza, POPL 2017). A history with unique values is causally consistent if and only if it
 * contains none of four patterns. For causal convergence, the history must not contain a fifth pattern either: a cycle in the union of two orders,
 * the causal order and the order in which conflicting writes win.
 *
 * `sessions` contains the operations of each client in their order. Returns the first of the forbidden patterns that is found. The check uses vector
 * clocks over program order and reads-from order. The check takes time roughly proportional to the number of operations times the number of sessions.
 */
export function checkCausal(
  sessions: readonly (readonly RegisterOperation[])[],
  { convergent = true }: { readonly convergent?: boolean } = {},
): CausalViolation | undefined {
  const nodes = sessions.map((operations, session) =>
    operations.map((operation, index): Node => ({
      operation,
      session,
      index,
      source: undefined,
      past: undefined,
    })),
  )
  return (
    findSources(nodes) ??
    findPasts(nodes) ??
    findStaleRead(nodes) ??
    (convergent ? findConflictCycle(nodes) : undefined)
  )
}

function findSources(nodes: readonly (readonly Node[])[]): CausalViolation | undefined {
  const writes = new Map<string, Node>()
  for (const node of nodes.flat()) {
    const { kind, key, value } = node.operation
    if (kind === 'write') writes.set(`${key}\0${value}`, node)
  }
  for (const node of nodes.flat()) {
    const { kind, key, value } = node.operation
    if (kind === 'write' || value === undefined) continue
    node.source = writes.get(`${key}\0${value}`)
    if (!node.source) return { pattern: 'ThinAirRead', what: `${tell(node)}, which nobody wrote` }
  }
  return undefined
}

/** Gives every operation its causal past, if the order has no cycle. */
function findPasts(nodes: readonly (readonly Node[])[]): CausalViolation | undefined {
  const next = nodes.map(() => 0)
  for (let moved = true; moved;) {
    moved = false
    for (const [session, list] of nodes.entries()) {
      for (let node = list[next[session]!]; node && ready(node); node = list[next[session]!]) {
        node.past = joined(nodes.length, list[node.index - 1]?.past, node.source?.past)
        node.past[session] = node.index
        next[session]!++
        moved = true
      }
    }
  }
  const stuck = nodes.flatMap((list, session) => list[next[session]!] ?? [])[0]
  if (!stuck) return undefined
  return { pattern: 'CyclicCO', what: `${tell(stuck)}, which depends on this very read` }
}

const ready = ({ source }: Node): boolean => source === undefined || source.past !== undefined

function joined(size: number, ...pasts: readonly (Int32Array | undefined)[]): Int32Array {
  const out = new Int32Array(size).fill(-1)
  for (const past of pasts) past?.forEach((index, i) => (out[i] = Math.max(out[i]!, index)))
  return out
}

/** Whether `a` is in the causal past of `b`. */
const before = (a: Node, b: Node): boolean => a !== b && b.past![a.session]! >= a.index

/** Calls back with, for each read, the latest write of each session to the same key in its causal past. */
function* conflicts(nodes: readonly (readonly Node[])[]): Generator<{ read: Node; write: Node }> {
  const lists = nodes.map((list) => {
    const byKey = new Map<string, Node[]>()
    for (const node of list) {
      if (node.operation.kind !== 'write') continue
      const { key } = node.operation
      byKey.set(key, [...(byKey.get(key) ?? []), node])
    }
    return byKey
  })
  for (const read of nodes.flat()) {
    if (read.operation.kind !== 'read') continue
    for (const [session, byKey] of lists.entries()) {
      const limit = read.past![session]!
      const write = byKey.get(read.operation.key)?.findLast(({ index }) => index <= limit)
      if (write && write !== read.source) yield { read, write }
    }
  }
}

function findStaleRead(nodes: readonly (readonly Node[])[]): CausalViolation | undefined {
  for (const { read, write } of conflicts(nodes)) {
    if (!read.source) {
      return { pattern: 'WriteCOInitRead', what: `${tell(read)} after ${tell(write)}` }
    }
    if (before(read.source, write)) {
      return { pattern: 'WriteCORead', what: `${tell(read)}, overwritten by ${tell(write)}` }
    }
  }
  return undefined
}

/** Looks for a cycle of causal order and "this write was seen to win over that one". */
function findConflictCycle(nodes: readonly (readonly Node[])[]): CausalViolation | undefined {
  const edges = new Map<Node, Set<Node>>()
  const connect = (from: Node | undefined, to: Node): void => {
    if (!from) return
    if (!edges.has(from)) edges.set(from, new Set())
    edges.get(from)!.add(to)
  }
  for (const list of nodes) {
    for (const node of list) {
      connect(list[node.index - 1], node)
      connect(node.source, node)
    }
  }
  for (const { read, write } of conflicts(nodes)) if (read.source) connect(write, read.source)
  const done = new Set<Node>()
  for (const start of edges.keys()) {
    const found = cycleFrom(start, edges, done)
    if (found)
      return { pattern: 'CyclicCF', what: `no order of the writes explains ${tell(found)}` }
  }
  return undefined
}

/** Depth-first search without recursion; a node on the current path that is met again closes a cycle. */
function cycleFrom(
  start: Node,
  edges: ReadonlyMap<Node, ReadonlySet<Node>>,
  done: Set<Node>,
): Node | undefined {
  const path = new Set<Node>()
  const stack: { node: Node; rest: Iterator<Node> }[] = []
  const enter = (node: Node): void => {
    path.add(node)
    stack.push({ node, rest: (edges.get(node) ?? []).values() })
  }
  if (!done.has(start)) enter(start)
  while (stack.length > 0) {
    const { node, rest } = stack.at(-1)!
    const { value: next, done: exhausted } = rest.next()
    if (exhausted) {
      stack.pop()
      path.delete(node)
      done.add(node)
    } else if (path.has(next)) return next
    else if (!done.has(next)) enter(next)
  }
  return undefined
}

const tell = ({ operation: { kind, key, value }, session, index }: Node): string =>
  `session ${session} #${index} ${kind}s ${key} = ${value ?? 'nothing'}`
