import { expect } from 'vitest'

import { PeerplaneError } from '../errors.ts'
import { anyArguments, OWN, type AnyArgument } from './any-argument.ts'

/** One parameter of a function, or a member of it. */
export interface Parameter {
  /** Calls the function with `value` there, and with what fits everywhere else. */
  readonly pass: (value: unknown) => unknown
  /** Whether it is taken, or else refused; `undefined` where both would do. */
  readonly takes: (value: unknown) => boolean | undefined
  /** What a refusal says. */
  readonly codes: readonly string[]
}

/** The parameters of each function. */
export interface FunctionTable {
  readonly [name: string]: { readonly [parameter: string]: Parameter }
}

/** A row for each member of an options object: a member without a row does not compile. */
export type MemberRows<Options> = { readonly [Name in keyof Options]-?: Parameter }

/** The outcome of a call, and whether it came through a promise. */
export type Result = { readonly promised: boolean } & (
  | { readonly taken: true; readonly value: unknown }
  | { readonly taken: false; readonly error: unknown }
)

/** In milliseconds, until a call counts as one that never ends. */
const PATIENCE = 30_000

/** The result of a call, in time. */
async function resultOf(call: () => unknown): Promise<Result> {
  let timer: ReturnType<typeof globalThis.setTimeout> | undefined
  let promised = false
  const late = new Promise((resolve) => {
    timer = globalThis.setTimeout(() => resolve(LATE), PATIENCE)
  })
  try {
    const given = call()
    promised = given instanceof Promise
    const value = await Promise.race([given, late])
    return value === LATE
      ? { promised, taken: false, error: new Error('no answer') }
      : { promised, taken: true, value }
  } catch (error) {
    return { promised, taken: false, error }
  } finally {
    globalThis.clearTimeout(timer)
  }
}

/**
 * Passes every argument there is to every parameter of a function, and gives what was taken or refused against its row. `after` looks for
 * what a call has changed.
 */
export async function faultsOf(
  parameters: FunctionTable[string],
  after: (result: Result) => Promise<string | undefined> = async () => undefined,
): Promise<readonly string[]> {
  const faults: string[] = []
  const ways = new Set<boolean>()
  for (const [parameter, { pass, takes, codes }] of Object.entries(parameters)) {
    const tried = async ([name, value]: AnyArgument): Promise<Result> => {
      const result = await resultOf(() => pass(value))
      const fits = result.taken
        ? takes(value) !== false
        : takes(value) !== true && refuses(result.error, codes)
      if (!fits) faults.push(`${parameter}, ${name}: ${said(result)}`)
      ways.add(result.promised)
      return result
    }
    const looked = async (name: string, result: Result): Promise<void> => {
      const trace = await after(result)
      if (trace !== undefined) faults.push(`${parameter}, ${name}: ${trace}`)
    }
    const isRefused = ([, value]: AnyArgument): boolean => takes(value) === false
    let refused: Result | undefined
    for (const argument of anyArguments.filter(isRefused)) refused = await tried(argument)
    // One look after all of them: what any of them has changed is there still.
    if (refused) await looked('one of the refused', { ...refused, taken: false, error: undefined })
    for (const argument of anyArguments.filter((each) => !isRefused(each))) {
      await looked(argument[0], await tried(argument))
    }
  }
  if (ways.size > 1) faults.push('answers through promises and without them')
  return faults
}

/**
 * Each function of `owner` has its row, and each row its function. `inner` are those without one, because no application and no stranger
 * reaches them: packages of the product call them with what they have checked.
 */
export function expectRows(
  owner: object,
  table: FunctionTable,
  inner: readonly string[] = [],
): void {
  const functions = Object.entries(owner).filter(([, value]) => typeof value === 'function')
  expect([...Object.keys(table), ...inner].sort()).toEqual(functions.map(([name]) => name).sort())
}

const LATE = Symbol('late')

/** Whether an error is ours, and has one of `codes`; `its own` stands for what a function of the application throws. */
function refuses(error: unknown, codes: readonly string[]): boolean {
  if (error instanceof PeerplaneError) return codes.includes(error.code)
  return codes.includes('its own') && error instanceof RangeError && error.message === OWN
}

function said(result: Result): string {
  if (result.taken) return 'taken'
  const { error } = result
  if (error instanceof PeerplaneError) return `${error.code}: ${error.message.slice(0, 200)}`
  if (!(error instanceof Error)) return `throws a ${typeof error}`
  return `${error.name}: ${error.message.slice(0, 200)}`
}
