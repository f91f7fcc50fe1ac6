/** An object that is always what `current` gives: a handler keeps its handle while the state behind it changes. */
export function forwarded(current: () => object): object {
  return new Proxy(
    {},
    {
      get: (_, key) => Reflect.get(current(), key) as unknown,
      set: (_, key, value) => Reflect.set(current(), key, value),
      has: (_, key) => Reflect.has(current(), key),
      deleteProperty: (_, key) => Reflect.deleteProperty(current(), key),
      ownKeys: () => Reflect.ownKeys(current()),
      getOwnPropertyDescriptor(_, key) {
        const property = Reflect.getOwnPropertyDescriptor(current(), key)
        // A proxy may not say of its own object, which is empty, that a property of it is fixed.
        return property && { ...property, configurable: true }
      },
      defineProperty: (_, key, property) => Reflect.defineProperty(current(), key, property),
      setPrototypeOf: (_, prototype) => Reflect.setPrototypeOf(current(), prototype),
      preventExtensions: () => Reflect.preventExtensions(current()),
    },
  )
}
