/** One operation of a client, with the times of its call and its return. All times are from the same clock. */
export interface TimedOperation<Input, Output> {
  readonly called: number
  /**
   * The time at which the operation returned. `Infinity` if the outcome is unknown: the operation may have taken effect at any time after its call,
   * or never.
   */
  readonly returned: number
  readonly input: Input
  /** `undefined` when unknown. */
  readonly output: Output | undefined
}

/** A model of an object: its behaviour when operations run one at a time. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State
  /**
   * Returns the state after the operation `input`, or `undefined` if `output` is not a possible result of the operation. If the output of an
   * operation is unknown, every result is possible.
   */
  step(
    state: State,
    input: Input,
    output: Output | undefined,
    unknown: boolean,
  ): { readonly state: State } | undefined
  /** Returns a text that is equal for equal states. */
  keyOf(state: State): string
}

interface Entry {
  readonly operation: number
  readonly kind: 'call' | 'return'
  readonly time: number
  previous: Entry | undefined
  next: Entry | undefined
  /** Of a call: its return. */
  match: Entry | undefined
}

/**
 * Whether operations on one object are linearizable. Operations are linearizable if each of them seems to take effect at one moment between its call
 * and its return.
 *
 * Uses the search of Wing and Gong (1993) with the cache of Lowe (2017): if the same set of operations has led to the same state before, the search
 * does not continue from there again. The search takes time exponential in the number of overlapping operations. Check the history of each object
 * separately.
 */
export function isLinearizable<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly TimedOperation<Input, Output>[],
): boolean {
  const head = chain(operations)
  let left = operations.filter(({ returned }) => returned !== Infinity).length
  let state = model.initial
  const done = new Uint32Array((operations.length >> 5) + 1)
  const tried = new Set<string>()
  const taken: { entry: Entry; state: State }[] = []
  let entry = head.next
  while (left > 0) {
    if (entry?.kind === 'call') {
      const { input, output, returned } = operations[entry.operation]!
      const unknown = returned === Infinity
      const after = model.step(state, input, output, unknown)
      if (after && isNew(tried, done, entry.operation, model.keyOf(after.state))) {
        taken.push({ entry, state })
        state = after.state
        flip(done, entry.operation)
        if (!unknown) left--
        lift(entry)
        entry = head.next
      } else entry = entry.next
      continue
    }
    // A return whose call was not taken: what was taken last must come later.
    const last = taken.pop()
    if (!last) return false
    state = last.state
    flip(done, last.entry.operation)
    if (operations[last.entry.operation]!.returned !== Infinity) left++
    unlift(last.entry)
    entry = last.entry.next
  }
  return true
}

/** Calls and returns in the order of time, as a list from which pairs can be taken and put back. */
function chain(operations: readonly TimedOperation<unknown, unknown>[]): Entry {
  const entries = operations.flatMap(({ called, returned }, operation): Entry[] => {
    const links = { previous: undefined, next: undefined, match: undefined }
    return [
      { operation, kind: 'call', time: called, ...links },
      { operation, kind: 'return', time: returned, ...links },
    ]
  })
  for (let i = 0; i < entries.length; i += 2) entries[i]!.match = entries[i + 1]
  entries.sort((a, b) => a.time - b.time || (a.kind === 'call' ? -1 : 1))
  const head: Entry = {
    operation: -1,
    kind: 'return',
    time: -Infinity,
    previous: undefined,
    next: undefined,
    match: undefined,
  }
  let last = head
  for (const entry of entries) {
    last.next = entry
    entry.previous = last
    last = entry
  }
  return head
}

function isNew(tried: Set<string>, done: Uint32Array, operation: number, state: string): boolean {
  flip(done, operation)
  const key = `${done.join()} ${state}`
  flip(done, operation)
  if (tried.has(key)) return false
  tried.add(key)
  return true
}

function flip(done: Uint32Array, operation: number): void {
  done[operation >> 5]! ^= 1 << (operation & 31)
}

function lift(call: Entry): void {
  for (const entry of [call, call.match!]) {
    entry.previous!.next = entry.next
    if (entry.next) entry.next.previous = entry.previous
  }
}

function unlift(call: Entry): void {
  for (const entry of [call.match!, call]) {
    entry.previous!.next = entry
    if (entry.next) entry.next.previous = entry
  }
}
