import { EventEmitter, getEventListeners } from 'node:events'

type Source = EventTarget | EventEmitter

/**
 * Counts the listeners of all live objects: from this call on, every object with a listener is remembered weakly. The caller collects
 * garbage before it counts.
 */
export function countListeners(): () => number {
  const sources = new Set<WeakRef<Source>>()
  const known = new WeakSet<Source>()
  const types = new Set<string>()
  const remember = (source: Source): void => {
    if (known.has(source)) return
    known.add(source)
    sources.add(new WeakRef(source))
  }
  const emitter = EventEmitter.prototype
  for (const name of ['on', 'addListener', 'prependListener'] as const) {
    const add = emitter[name]
    emitter[name] = function (this: EventEmitter, ...args: Parameters<typeof add>) {
      remember(this)
      return add.apply(this, args)
    } as typeof add
  }
  const target = EventTarget.prototype
  // oxlint-disable-next-line typescript/unbound-method -- it is bound again at each call
  const addEventListener = target.addEventListener
  target.addEventListener = function (this: EventTarget, ...args) {
    remember(this)
    types.add(args[0])
    addEventListener.apply(this, args)
  }
  return () => {
    let sum = 0
    for (const reference of sources) {
      const source = reference.deref()
      if (source) sum += listenersOf(source, types)
      else sources.delete(reference)
    }
    return sum
  }
}

function listenersOf(source: Source, types: ReadonlySet<string>): number {
  const counts =
    source instanceof EventEmitter
      ? source.eventNames().map((name) => source.listenerCount(name))
      : [...types].map((type) => getEventListeners(source, type).length)
  return counts.reduce((sum, count) => sum + count, 0)
}
