import { describe, isPlain, PeerplaneError, reading, takeDeclarations } from '@peerplane/core'
import { option, takeOptions, type OptionReader } from '@peerplane/runtime'

import { ambientFaults, momentaryFaults, type FaultKind } from './fleet/fault-kinds.ts'
import type { Simulation } from './simulation.ts'

/** A copy of what was passed. Throws `invalid-declaration` or `invalid-input`. */
export function takeSimulation(given: Simulation): Simulation {
  const {
    entities = takeDeclarations(undefined),
    workload = {},
    invariants = functions(undefined, 'invariants'),
    ...rest
  } = takeOptions<Simulation>(given, {
    entities: takeDeclarations,
    workload: functions<Simulation['workload']>,
    invariants: functions<Simulation['invariants']>,
    devices: option.count,
    steps: option.count,
    seeds: option.count,
    first: option.whole,
    faults,
  })
  if (Object.keys(workload).length === 0) throw invalid('a workload has one action at least')
  return { entities, workload, invariants, ...rest }
}

/** Functions by name. */
function functions<T extends object>(value: unknown, name: string): T {
  const refused = invalid(`${name} is an object of functions, not ${describe(value)}`)
  const taken = reading(
    () => typeof value === 'object' && value !== null && isPlain(value) && { ...value },
    () => refused,
  )
  if (taken && Object.values(taken).every((each) => typeof each === 'function')) return taken as T
  throw refused
}

const faults: OptionReader<readonly FaultKind[]> = (value, name) => {
  const kinds: readonly string[] = [...momentaryFaults, ...ambientFaults]
  const taken = option.texts(value, name)
  const other = taken.find((each) => !kinds.includes(each))
  if (other === undefined) return taken as readonly FaultKind[]
  throw invalid(`there is no fault ${describe(other)}; there are ${kinds.join(', ')}`)
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
