import {
  command,
  counter,
  document,
  entity,
  list,
  flag,
  growOnlyCounter,
  growOnlySet,
  map,
  multiValueRegister,
  record,
  register,
  set,
  vote,
  text,
  tree,
  type HandleOf,
  type Json,
} from '@peerplane/core'

/** What the functions of the application do next. */
export const application: {
  handler: (thing: ThingHandle) => unknown
  page: (page: HandleOf<typeof Page.state>) => unknown
  schema: () => unknown
} = { handler: () => undefined, page: () => undefined, schema: () => undefined }

const shape = record({
  count: counter(),
  note: register<Json>(null),
  tags: set<Json>(),
  stock: map(counter()),
  rows: list(counter()),
  grown: growOnlyCounter(),
  kept: growOnlySet<Json>(),
  lit: flag(),
  votes: vote(),
  opinions: multiValueRegister<Json>(null),
  first: register('', { clock: 'reverse' }),
  measured: register('', { clock: 'custom' }),
  numbered: register('', { clock: 'custom-auto-increment' }),
  outline: tree(counter()),
  body: text(),
})
export type ThingHandle = HandleOf<typeof shape>

const numbers = (value: unknown): unknown =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'give a number' }] }

const schemaOf = (validate: (value: unknown) => unknown) => ({
  '~standard': { version: 1, vendor: 'table', validate: validate as never } as const,
})

/** An entity with every native kind of state. */
export const Thing = entity('thing', {
  state: shape,
  commands: {
    put: (thing, input: Json | undefined) => {
      thing.count.increment()
      return input
    },
    checked: command(schemaOf(numbers), (thing: ThingHandle, input: Json) => thing.note.set(input)),
    judged: command(
      schemaOf(() => application.schema()),
      (thing: ThingHandle) => thing.note.set('judged'),
    ),
    run: (thing) => {
      thing.count.increment()
      return application.handler(thing) as Json
    },
  },
})

const content: { readonly [key: string]: Json } = {
  items: [{ n: 1 }, 'b', 3],
  nested: { below: { x: 1 } },
  text: 'abc',
}

const written = JSON.stringify(content)

/** A document; each command begins with the same content. */
export const Page = entity('page', {
  state: document(content),
  commands: {
    run: (page) => {
      if (JSON.stringify(page) !== written) Object.assign(page, content)
      application.page(page)
    },
  },
})
