// A tab that leads, and hangs for good with the next command: at the end of the task in which it begins a transaction of a given mode. It runs
// in a worker, because pages of one site share a thread; all that a worker lacks of a page is a document that can be frozen.
import { counter, entity, open } from './index.ts'

const Tally = entity('tally', {
  state: counter(),
  commands: { vote: (tally) => tally.increment() },
})

/** What a test asks for. */
interface Task {
  readonly space: string
  readonly mode: IDBTransactionMode
}

Object.assign(globalThis, { document: new EventTarget() })
const { space, mode } = await new Promise<Task>((resolve) => {
  addEventListener('message', ({ data }) => resolve(data as Task))
  postMessage('ready')
})
// The only shared memory that a page has without further headers; waiting in it costs no processor time.
const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
const flushed = Promise.withResolvers<void>()
let isArmed = false
let hangsAtCommand = false
const plane = await open({
  entities: [Tally],
  space,
  network: false,
  trace: (name) => {
    if (name === 'rows.flushed') flushed.resolve()
    if (name === 'command.called') isArmed = hangsAtCommand
  },
})
await plane.get(Tally, 'lunch').vote()
// Nothing else is written from here on.
await flushed.promise
hangsAtCommand = true
const begin = Object.getOwnPropertyDescriptor(IDBDatabase.prototype, 'transaction')!
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given) {
  if (isArmed && (given[1] ?? 'readonly') === mode) {
    queueMicrotask(() => {
      postMessage('hangs')
      Atomics.wait(new Int32Array(shared.buffer), 0, 0)
    })
  }
  return (begin.value as IDBDatabase['transaction']).apply(this, given)
}
postMessage('leads')
