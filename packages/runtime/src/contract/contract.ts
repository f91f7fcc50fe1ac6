import type { Form } from './form.ts'

/*
 * A contract says of each method of an object how it is asked for from a distance. Whatever drives that object from there (a following tab,
 * the command of a daemon) and whatever serves it are derived from the contract.
 */

/** Who may ask for an operation, from the least to the most powerful. */
export type Authority = 'read' | 'write' | 'manage'

/** A method that answers once, with a promise. */
interface Ask<Given extends readonly unknown[], Answer> {
  readonly kind: 'ask'
  readonly authority: Authority
  /**
   * Whether it may be asked again, of a successor, before the answer is known: at any time, or once it is marked so that it takes effect
   * once.
   */
  readonly repeat: 'freely' | Marking<Given>
  readonly given: Form<Given>
  readonly answer: Form<Answer>
}

/** How what is given carries an operation id. */
interface Marking<Given> {
  operationId(given: Given): string | undefined
  mark(given: Given, operationId: string): Given
}

/** A method that calls back with updates, now and after each change, until the function that it returns is called. */
export interface Watch<Given extends readonly unknown[], Update> {
  readonly kind: 'watch'
  readonly authority: Authority
  /** Whether an update is sent only when everything in it is durable. */
  readonly durable: boolean
  readonly given: Form<Given>
  /** A writer, or a reader, of the updates of one watch. It knows those before, so that it can leave out what has not changed. */
  readonly updates: () => Form<Update>
  /** The update that stands for a refusal; without it, the refusal is reported. */
  readonly refused?:
    | ((problem: { readonly code: string; readonly message: string }) => Update)
    | undefined
}

/** The operation that fits a method. */
type OperationOf<Method> = Method extends (...given: infer Given) => Promise<infer Answer>
  ? Ask<Given, Answer>
  : Method extends (...given: infer Given) => () => void
    ? Given extends readonly [...infer Arguments, (update: infer Update) => void]
      ? Watch<Arguments, Update>
      : never
    : never

/** An operation for each method of `Target`. A method, a parameter or a field without one does not compile. */
export type Contract<Target> = { readonly [Name in keyof Target]: OperationOf<Target[Name]> }

/** A method of any object. */
export type Method = (...given: readonly unknown[]) => unknown

/** An operation of any contract. */
export type AnyOperation = Ask<readonly unknown[], unknown> | Watch<readonly unknown[], unknown>

/** The operations of a contract by name: from here on the forms know the types, and the compiler does not. */
export const operationsOf = <Target>(
  contract: Contract<Target>,
): ReadonlyMap<string, AnyOperation> =>
  new Map(Object.entries(contract) as unknown as [string, AnyOperation][])

/** An object made of one method for each operation of a contract. */
export const targetOf = <Target>(
  contract: Contract<Target>,
  method: (name: string, operation: AnyOperation) => Method,
): Target =>
  Object.fromEntries(
    [...operationsOf(contract)].map(([name, operation]) => [name, method(name, operation)]),
  ) as Target
