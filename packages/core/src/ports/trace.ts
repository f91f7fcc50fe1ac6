/*
 * What the product does, as events with a name and fields. Everything else is derived from this table: types, the page of events and the log of the
 * daemon follow from it.
 *
 *   id, text, code      a string; an id may be `undefined` where there is nothing to name
 *   count, bytes, ms    a number
 *   flag                a boolean
 *   data                a value from memory, for recorders. It may contain what a person typed, so no log prints it; listeners must not change it
 *
 * Logs print every field that is not `data`, so such a field must not contain a secret, an invitation, an input of a command or an id of an entity.
 */

/** How much an event matters to a person who runs a device. */
export const traceLevels = ['error', 'warn', 'info', 'debug'] as const

export type TraceLevel = (typeof traceLevels)[number]

/** What the kinds of fields hold. */
interface FieldKinds {
  readonly id: string | undefined
  readonly text: string
  readonly code: string
  readonly count: number
  readonly bytes: number
  readonly ms: number
  readonly flag: boolean
  readonly data: unknown
}

interface EventKind {
  readonly level: TraceLevel
  /** What has happened, in one sentence. */
  readonly says: string
  readonly fields: Readonly<Record<string, keyof FieldKinds>>
}

/** Every event; a name is a subject and a verb. */
export const traceEvents = {
  // Commands.
  'command.called': {
    level: 'debug',
    says: 'An application calls one or more commands, which make one commit; `call` numbers the calls.',
    fields: {
      call: 'count',
      commands: 'text',
      durability: 'code',
      operation: 'id',
      invocations: 'data',
    },
  },
  'command.settled': {
    level: 'debug',
    says: 'A call is answered; `commit` is the id of the commit that it made.',
    fields: { call: 'count', commit: 'id', ms: 'ms' },
  },
  'command.refused': {
    level: 'debug',
    says: 'A call fails with the code of the error, or with `rejected` if a handler refused it.',
    fields: { call: 'count', code: 'code', ms: 'ms', error: 'data' },
  },
  // The log.
  'session.begun': {
    level: 'debug',
    says: 'This device begins a session, in memory.',
    fields: { session: 'id', device: 'id' },
  },
  'commit.appended': {
    level: 'debug',
    says: 'This device has made a commit. It is part of the log in memory.',
    fields: { commit: 'id', session: 'id', seq: 'count', entities: 'count' },
  },
  'commits.stored': {
    level: 'debug',
    says: 'Commits of one session are durable here.',
    fields: { session: 'id', from: 'count', to: 'count', own: 'flag' },
  },
  'commits.delivered': {
    level: 'debug',
    says: 'Commits of other devices are delivered: all that they depend on is here.',
    fields: { commits: 'count', list: 'data' },
  },
  'commits.waiting': {
    level: 'debug',
    says: 'Stored commits wait for others that they depend on; the counts include all that wait.',
    fields: { commits: 'count', bytes: 'bytes' },
  },
  'commits.dropped': {
    level: 'warn',
    says: 'Waiting commits were dropped to make room for others; they are asked for again.',
    fields: { session: 'id', commits: 'count' },
  },
  'commits.lost': {
    level: 'error',
    says: 'Own commits could not be stored and are no longer part of the log; waiting callers get the error, and the status counts the others.',
    fields: { commits: 'count', code: 'code' },
  },
  'session.forked': {
    level: 'warn',
    says: 'A device signed two versions of a session; from `seq` on the session has no effect.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  'session.contradicted': {
    level: 'warn',
    says: 'A commit is not delivered, because it depends on a commit of which this device holds a different version.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  'session.unreadable': {
    level: 'error',
    says: 'A commit waits because the store cannot read what it depends on.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  // States.
  'body.void': {
    level: 'warn',
    says: 'The part of a commit that changes one entity breaks a rule of its model, and has no effect.',
    fields: { type: 'text', device: 'id', session: 'id', seq: 'count', entity: 'data' },
  },
  'entity.unreadable': {
    level: 'warn',
    says: 'An entity does not match its declaration here, or its stored data is damaged.',
    fields: { type: 'text', entity: 'data', error: 'data' },
  },
  'entity.incomplete': {
    level: 'warn',
    says: 'A change of an entity can be read only by a newer version of this program or of its model. The rest of the entity is shown.',
    fields: { type: 'text', entity: 'data' },
  },
  'rows.flushed': {
    level: 'debug',
    says: 'Changed rows were written.',
    fields: { rows: 'count' },
  },
  'rows.failed': {
    level: 'warn',
    says: 'Changed rows could not be written; they are written later, or rebuilt from the log.',
    fields: { rows: 'count', code: 'code' },
  },
  'rows.discarded': {
    level: 'info',
    says: 'Rows are rebuilt from the log: they are `damaged` or `outdated`, or a `fork` was found.',
    fields: { why: 'code' },
  },
  // Sync.
  'link.opened': {
    level: 'info',
    says: 'A link to an admitted peer is ready.',
    fields: { link: 'id', device: 'id', peer: 'id', path: 'code', anchor: 'flag' },
  },
  'link.closed': {
    level: 'info',
    says: 'A link is closed.',
    fields: { link: 'id', device: 'id', peer: 'id', path: 'code' },
  },
  'path.changed': {
    level: 'info',
    says: 'A link replaces another one to the same peer.',
    fields: { device: 'id', peer: 'id', from: 'code', to: 'code' },
  },
  'range.wanted': {
    level: 'debug',
    says: 'A peer is asked for commits of a session.',
    fields: { link: 'id', session: 'id', from: 'count', to: 'count' },
  },
  'range.served': {
    level: 'debug',
    says: 'Commits of a session were sent to a peer, up to `to`; `complete` is false if no more could be read.',
    fields: { link: 'id', session: 'id', to: 'count', complete: 'flag' },
  },
  'range.taken': {
    level: 'debug',
    says: 'Commits that a peer sent are accepted: `stored` of them are new, and `released` others no longer wait.',
    fields: { link: 'id', session: 'id', stored: 'count', released: 'count' },
  },
  'range.refused': {
    level: 'debug',
    says: 'Commits that a peer sent are refused.',
    fields: { link: 'id', session: 'id', code: 'code' },
  },
  'range.missed': {
    level: 'debug',
    says: 'A peer did not send what it was asked for; others are asked.',
    fields: { link: 'id', session: 'id', failures: 'count' },
  },
  'announcement.unreadable': {
    level: 'debug',
    says: 'A member sent gossip that this version cannot read; it may come from a newer version.',
    fields: { code: 'code' },
  },
  // Who is let in.
  'device.met': {
    level: 'info',
    says: 'A device is seen in this space for the first time.',
    fields: { device: 'id' },
  },
  'device.banned': {
    level: 'warn',
    says: 'A member broke a rule: it is cut off, and may come back later.',
    fields: { device: 'id', why: 'code' },
  },
  'role.ignored': {
    level: 'warn',
    says: 'A device that was not made an anchor by the creator or by an anchor wants to be one: it is a member.',
    fields: { device: 'id' },
  },
  'invitation.refused': {
    level: 'warn',
    says: 'A device that knows the secret of the space is refused, or refuses this device.',
    fields: { peer: 'id', code: 'code' },
  },
  'handshake.failed': {
    level: 'debug',
    says: 'A peer did not prove membership.',
    fields: { peer: 'id', code: 'code', reason: 'text' },
  },
  'peer.refused': {
    level: 'debug',
    says: 'A connection is refused or cut off; `peerplane status` counts the reasons.',
    fields: { why: 'code' },
  },
  // The network.
  'network.started': {
    level: 'info',
    says: 'The network is on.',
    fields: { peer: 'id', addresses: 'text' },
  },
  'network.stopped': {
    level: 'info',
    says: 'The network is off.',
    fields: {},
  },
  'network.failed': {
    level: 'error',
    says: 'The network could not be turned on or off.',
    fields: { code: 'code', reason: 'text' },
  },
  'address.unreachable': {
    level: 'warn',
    says: 'A configured peer does not answer; it is dialled again until it does.',
    fields: { address: 'text', reason: 'text' },
  },
  'dial.failed': {
    level: 'debug',
    says: 'Dialling an address failed.',
    fields: { address: 'text', reason: 'text' },
  },
  'relay.refused': {
    level: 'debug',
    says: 'A relay grants no reservation; it is asked again.',
    fields: { peer: 'id', reason: 'text' },
  },
  'gossip.failed': {
    level: 'debug',
    says: 'An announcement could not be sent; the next one says the same.',
    fields: { reason: 'text' },
  },
  // The storage.
  'store.wrote': {
    level: 'debug',
    says: 'The store has taken these writes; those that must be synced may not be flushed yet.',
    fields: { writes: 'count', durability: 'code', list: 'data' },
  },
  'storage.failed': {
    level: 'error',
    says: 'The storage fails: new commands are not durable.',
    fields: { code: 'code', reason: 'text' },
  },
  'storage.lost': {
    level: 'error',
    says: 'Stored data was deleted; the device continues with what it has in memory and what other devices hold.',
    fields: { reason: 'text' },
  },
  'storage.works': {
    level: 'info',
    says: 'The storage works again.',
    fields: {},
  },
  'upkeep.failed': {
    level: 'warn',
    says: 'A task that can be done later, or again, failed.',
    fields: { what: 'text', code: 'code' },
  },
  'service.started': {
    level: 'debug',
    says: 'A part of a plane, a tab or a daemon has started.',
    fields: { service: 'text' },
  },
  'service.stopped': {
    level: 'debug',
    says: 'It has stopped; parts stop in the reverse order of their start.',
    fields: { service: 'text' },
  },
  'service.failed': {
    level: 'warn',
    says: 'It failed to stop in order. The other parts still stop.',
    fields: { service: 'text', code: 'code' },
  },
  // The plane.
  'plane.opened': {
    level: 'info',
    says: 'A plane is open: local state can be read and written.',
    fields: { space: 'id', device: 'id', membership: 'code', commits: 'count' },
  },
  'plane.failed': {
    level: 'warn',
    says: 'Something failed, and no caller waits for it; the status shows the error.',
    fields: { code: 'code', reason: 'text' },
  },
  'plane.closed': {
    level: 'info',
    says: 'The plane is closed.',
    fields: {},
  },
  'space.founded': {
    level: 'info',
    says: 'The space exists from now on.',
    fields: { space: 'id', device: 'id' },
  },
  'invitation.made': {
    level: 'info',
    says: 'An invitation was made: it expires after `hours` hours, and makes a `member` or an `anchor`.',
    fields: { hours: 'count', role: 'code' },
  },
  // Tabs of a browser.
  'tab.leads': {
    level: 'info',
    says: 'This tab opens the store and the network for all tabs of the space.',
    fields: {},
  },
  'tab.follows': {
    level: 'info',
    says: 'This tab works through another one; `outdated` if that one runs a newer version of the application.',
    fields: { outdated: 'flag' },
  },
  'tab.takes-over': {
    level: 'warn',
    says: 'This tab replaces the leading tab, which is `silent`, or `older` than this one.',
    fields: { why: 'code' },
  },
  'tab.replaced': {
    level: 'warn',
    says: 'Another tab has replaced this one, which did not answer for a while.',
    fields: {},
  },
  'tab.failed': {
    level: 'error',
    says: 'This tab could not lead; it lets other tabs try, and then tries again.',
    fields: { code: 'code', reason: 'text' },
  },
  'tab.ended': {
    level: 'warn',
    says: 'The plane of this tab ended, and the application did not close it.',
    fields: { code: 'code', reason: 'text' },
  },
  'message.unreadable': {
    level: 'debug',
    says: 'Another tab sent a message that this version cannot read; it may come from another version.',
    fields: { code: 'code' },
  },
  // The daemon.
  'daemon.ready': {
    level: 'info',
    says: 'The daemon can be reached; `serves` is the address of the application that it serves.',
    fields: { space: 'id', device: 'id', serves: 'text' },
  },
  'daemon.stopping': {
    level: 'info',
    says: 'The daemon is stopping, and makes everything durable.',
    fields: {},
  },
  'daemon.stopped': {
    level: 'info',
    says: 'Everything is durable and closed.',
    fields: {},
  },
  'request.failed': {
    level: 'warn',
    says: 'A file of the served application could not be read.',
    fields: { code: 'code' },
  },
  'log.shortened': {
    level: 'warn',
    says: 'Lines were left out of the log, because there were too many in one second.',
    fields: { lines: 'count' },
  },
} as const satisfies Readonly<Record<string, EventKind>>

/** Name of an event. */
export type TraceName = keyof typeof traceEvents

/** The fields of an event. */
export type TraceFields<Name extends TraceName> = {
  readonly [
    Field in keyof (typeof traceEvents)[Name]['fields']
  ]: FieldKinds[(typeof traceEvents)[Name]['fields'][Field] & keyof FieldKinds]
}

/**
 * Receives what the product does, as it happens. It must not throw, and nothing may depend on it.
 *
 * It is called as `trace?.('link.opened', { … })`: if nobody listens, the fields are not even evaluated.
 */
export type Trace = <Name extends TraceName>(name: Name, fields: TraceFields<Name>) => void

/** Handlers of events by name; events without a handler are ignored. */
export type TraceListener = { readonly [Name in TraceName]?: (fields: TraceFields<Name>) => void }

/** A trace that goes to a listener. */
export const traceTo =
  (listener: TraceListener): Trace =>
  (name, fields) =>
    listener[name]?.(fields)
