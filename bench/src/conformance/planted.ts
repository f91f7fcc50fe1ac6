// Loaded into a daemon before its program, with the name of a fault in the environment: plants that fault.
import { plantChanges } from '../sim/plant.ts'
import { faults } from './faults.ts'
import { FAULT } from './world.ts'

const name = process.env[FAULT]
const fault = faults.find((each) => each.name === name)
if (!fault) throw new Error(`no fault "${name}"`)
plantChanges(fault.name, fault.changes)
