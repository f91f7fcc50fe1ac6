import { counter, entity } from '@peerplane/core'
import {
  expectRows,
  faultsOf,
  isData,
  isFunction,
  isOptions,
  type FunctionTable,
  type MemberRows,
  type Parameter,
} from '@peerplane/core/testing'
import { expect, it } from 'vitest'

import * as campaign from './campaign.ts'
import * as exported from './index.ts'

const Tally = entity('tally', {
  state: counter(),
  commands: { count: (tally) => tally.increment() },
})

const good: exported.Simulation = {
  entities: [Tally],
  workload: { count: ({ plane }) => plane.get(Tally, 'a').count() },
  invariants: {},
  devices: 1,
  steps: 20,
  seeds: 1,
  faults: [],
}

async function simulated(options: unknown): Promise<void> {
  try {
    await exported.simulate(options as exported.Simulation)
  } catch (error) {
    // The simulation was taken, and has found something or nothing.
    const isTaken = error instanceof exported.InvariantBroken || /no action/.test(String(error))
    if (!isTaken) throw error
  }
}

const row = (takes: Parameter['takes'], pass: Parameter['pass']): Parameter => ({
  takes,
  pass,
  codes: ['invalid-input', 'invalid-declaration'],
})
const member = (name: string, takes: Parameter['takes']): Parameter =>
  row(takes, (value) => simulated({ ...good, [name]: value }))
const never = (): boolean => false
const isCount = (value: unknown): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)
const isEmptyList = (value: unknown): boolean =>
  isData(value) && Array.isArray(value) && value.length === 0
/** Some convert themselves by methods of their own. */
const holdsFunctions = (value: unknown): boolean =>
  isOptions(value) &&
  [null, Object.prototype].includes(Object.getPrototypeOf(value) as object) &&
  Object.values(value as object).every(isFunction)
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && isData(value) && Object.keys(value).length === 0

const simulation: MemberRows<exported.Simulation> = {
  entities: member('entities', isEmptyList),
  workload: member('workload', (value) => holdsFunctions(value) && !isEmpty(value)),
  invariants: member('invariants', holdsFunctions),
  devices: member('devices', isCount),
  // Of one step that is not acknowledged nothing would be tested.
  steps: member('steps', (value) => (isCount(value) ? undefined : false)),
  seeds: member('seeds', (value) => (value === undefined ? undefined : isCount(value))),
  first: member(
    'first',
    (value) => value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0),
  ),
  faults: member('faults', (value) => value === undefined || isEmptyList(value)),
}

const table: FunctionTable = {
  simulate: {
    simulation: row(never, simulated),
    'an entity': row(never, (each) => simulated({ ...good, entities: [Tally, each] })),
    action: row(isFunction, (other) =>
      simulated({ ...good, workload: { ...good.workload, other } }),
    ),
    invariant: row(isFunction, (rule) => simulated({ ...good, invariants: { rule } })),
    fault: row(never, (each) => simulated({ ...good, faults: [each] })),
    ...simulation,
  },
}

/** The campaign of this repository runs by them; it makes what it passes itself. */
const ofCampaign =
  `breaks checkCausal isLinearizable performSeed Recorder reportHtml runDeletions runEvolve runMixed runPlan runSeed runWriters shrinkCommands
  tellRun`.split(/\s+/)

it('the table of arguments has a row for each exported function, or lists it as internal', () => {
  expectRows(exported, table, ['InvariantBroken'])
  expectRows(campaign, {}, ofCampaign)
})

it('simulate accepts valid options, and refuses others with a code', async () => {
  expect(await faultsOf(table['simulate']!)).toEqual([])
})
