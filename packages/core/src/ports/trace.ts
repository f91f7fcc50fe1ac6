/*
 * What the product does, as events with a name and fields. Types, the page of events and the log of the daemon are derived from this table.
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

/** Every event. The name of an event consists of a subject and a verb. */
export const traceEvents = {
  // Commands.
  'command.called': {
    level: 'debug',
    says: 'An application called one or more commands, which together make one commit. `call` is the number of the call.',
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
    says: 'A call of one or more commands succeeded; `commit` is the id of its commit.',
    fields: { call: 'count', commit: 'id', ms: 'ms' },
  },
  'command.refused': {
    level: 'debug',
    says: 'A command, or an atomic group of commands, failed; `code` is the error code, or `rejected` if a handler rejected a command.',
    fields: { call: 'count', code: 'code', ms: 'ms', error: 'data' },
  },
  // The log.
  'session.begun': {
    level: 'debug',
    says: 'This device began a session in memory.',
    fields: { session: 'id', device: 'id' },
  },
  'commit.appended': {
    level: 'debug',
    says: 'This device added a new commit to its log in memory.',
    fields: { commit: 'id', session: 'id', seq: 'count', entities: 'count' },
  },
  'commits.stored': {
    level: 'debug',
    says: 'Commits of one session are now durable on this device.',
    fields: { session: 'id', from: 'count', to: 'count', own: 'flag' },
  },
  'commits.delivered': {
    level: 'debug',
    says: 'Commits of other devices were delivered, because this device now has all commits that they depend on.',
    fields: { commits: 'count', list: 'data' },
  },
  'commits.waiting': {
    level: 'debug',
    says: 'Stored commits wait, because commits that they depend on are missing. `commits` and `bytes` count all waiting commits.',
    fields: { commits: 'count', bytes: 'bytes' },
  },
  'commits.dropped': {
    level: 'warn',
    says: 'Waiting commits were dropped to make room for other commits. The device requests the dropped commits again later.',
    fields: { session: 'id', commits: 'count' },
  },
  'commits.lost': {
    level: 'error',
    says: 'Commits of this device could not be stored and were removed from its log. Callers that still wait for the lost commits get the error; the status counts the lost commits for which no caller waits.',
    fields: { commits: 'count', code: 'code' },
  },
  'session.forked': {
    level: 'warn',
    says: 'A device signed two versions of a session. Commit `seq` and all later commits of the session have no effect.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  'session.contradicted': {
    level: 'warn',
    says: 'A commit is not delivered: it depends on a commit of which this device holds a different version.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  'session.unreadable': {
    level: 'error',
    says: 'A commit waits, because the store cannot read one of its dependencies.',
    fields: { session: 'id', device: 'id', seq: 'count' },
  },
  // States.
  'body.void': {
    level: 'warn',
    says: 'The section of a commit for one entity has no effect, because the section breaks a rule of the state model of the entity.',
    fields: { type: 'text', device: 'id', session: 'id', seq: 'count', entity: 'data' },
  },
  'entity.unreadable': {
    level: 'warn',
    says: 'An entity is too large, or its stored data is damaged.',
    fields: { type: 'text', entity: 'data', error: 'data' },
  },
  'entity.large': {
    level: 'warn',
    says: 'An entity has taken more than four fifths of what commands may fill. Soon, commands that add to the entity will be refused: delete what is no longer needed, or spread the data over several entities. The event is reported once each time the entity is read into memory.',
    fields: { type: 'text', bytes: 'count', ops: 'count', entity: 'data' },
  },
  'entity.incomplete': {
    level: 'warn',
    says: 'A change of an entity was written for a newer version of this program or of the state model, or for a different shape. The entity is shown without this change.',
    fields: { type: 'text', entity: 'data', why: 'data' },
  },
  'entity.conflict': {
    level: 'warn',
    says: 'Two sessions have continued an entity with a single writer from the same point. The entity shows one of the branches until a command chooses.',
    fields: { type: 'text', entity: 'data' },
  },
  'rows.flushed': {
    level: 'debug',
    says: 'The rows of changed entities were written to the store.',
    fields: { rows: 'count' },
  },
  'rows.failed': {
    level: 'warn',
    says: 'The rows of changed entities could not be written. The missing rows are written later, or rebuilt from the log.',
    fields: { rows: 'count', code: 'code' },
  },
  'rows.discarded': {
    level: 'info',
    says: 'All rows are being rebuilt from the log, because they are `damaged` or `outdated`.',
    fields: { why: 'code' },
  },
  'entities.refolded': {
    level: 'info',
    says: 'Entities were folded again, because sessions were forked. `commits` counts the folded commits, `batches` counts the batches that were searched for these commits, and `left` counts the entities that are still to be folded again.',
    fields: { entities: 'count', commits: 'count', batches: 'count', left: 'count' },
  },
  // Sync.
  'link.opened': {
    level: 'info',
    says: 'A link to an admitted peer is ready.',
    fields: { link: 'id', device: 'id', peer: 'id', path: 'code', anchor: 'flag' },
  },
  'link.closed': {
    level: 'info',
    says: 'A link to a peer was closed.',
    fields: { link: 'id', device: 'id', peer: 'id', path: 'code' },
  },
  'path.changed': {
    level: 'info',
    says: 'A link replaced another link to the same peer.',
    fields: { device: 'id', peer: 'id', from: 'code', to: 'code' },
  },
  'range.wanted': {
    level: 'debug',
    says: 'This device requested commits of a session from a peer.',
    fields: { link: 'id', session: 'id', from: 'count', to: 'count' },
  },
  'range.served': {
    level: 'debug',
    says: 'This device sent commits of a session to a peer, up to commit `to`; `complete` is false if this device could not read all requested commits.',
    fields: { link: 'id', session: 'id', to: 'count', complete: 'flag' },
  },
  'range.taken': {
    level: 'debug',
    says: 'Commits from a peer were accepted: `stored` counts new commits, and `released` counts earlier commits that had waited for one of these commits.',
    fields: { link: 'id', session: 'id', stored: 'count', released: 'count' },
  },
  'range.refused': {
    level: 'debug',
    says: 'Commits from a peer were refused.',
    fields: { link: 'id', session: 'id', code: 'code' },
  },
  'range.missed': {
    level: 'debug',
    says: 'A peer did not send the requested commits. This device requests the commits from other peers.',
    fields: { link: 'id', session: 'id', failures: 'count' },
  },
  'announcement.unreadable': {
    level: 'debug',
    says: 'A member sent gossip that this version cannot read. The member may run a newer version.',
    fields: { code: 'code' },
  },
  // Who is let in.
  'device.met': {
    level: 'info',
    says: 'This device learned of another device in this space.',
    fields: { device: 'id' },
  },
  'device.banned': {
    level: 'warn',
    says: 'A device of the space broke a rule of the protocol. This device closed its connections to that device, which may reconnect later.',
    fields: { device: 'id', why: 'code' },
  },
  'role.ignored': {
    level: 'warn',
    says: 'A device claims to be an anchor, but neither the creator of the space nor an anchor invited it as an anchor. This device ignores the claim, and treats the other device as an ordinary member.',
    fields: { device: 'id' },
  },
  'invitation.refused': {
    level: 'warn',
    says: 'A device that knows the secret of the space was refused, or refused this device.',
    fields: { peer: 'id', code: 'code' },
  },
  'admission.ignored': {
    level: 'warn',
    says: 'A device was admitted by a record that only a newer version of this program can read. What the device writes has no effect on this device until an update.',
    fields: { device: 'id' },
  },
  'message.ignored': {
    level: 'debug',
    says: 'A peer sent a message of an unknown kind, or a message with an unknown critical key. The peer may run a newer version.',
    fields: { link: 'id' },
  },
  'peer.incompatible': {
    level: 'warn',
    says: 'A peer and this device have no version of the protocol in common. One of the two devices must be updated.',
    fields: { peer: 'id', reason: 'text' },
  },
  'handshake.failed': {
    level: 'debug',
    says: 'A peer did not prove that it is a member of the space.',
    fields: { peer: 'id', code: 'code', reason: 'text' },
  },
  'peer.refused': {
    level: 'debug',
    says: 'A connection was refused or closed, because a limit was reached or a rule was broken. `peerplane status` shows for each reason how many connections were refused or closed.',
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
    says: 'A configured peer does not answer. This device dials the peer again until the peer answers.',
    fields: { address: 'text', reason: 'text' },
  },
  'dial.failed': {
    level: 'debug',
    says: 'This device could not connect to an address.',
    fields: { address: 'text', reason: 'text' },
  },
  'relay.refused': {
    level: 'debug',
    says: 'A relay did not grant a reservation. This device asks the relay again later.',
    fields: { peer: 'id', reason: 'text' },
  },
  'gossip.failed': {
    level: 'debug',
    says: 'An announcement could not be sent. The next announcement repeats the content of the failed announcement.',
    fields: { reason: 'text' },
  },
  // The storage.
  'store.wrote': {
    level: 'debug',
    says: 'The store accepted writes, but may not have flushed them to disk yet.',
    fields: { writes: 'count', durability: 'code', list: 'data' },
  },
  'storage.failed': {
    level: 'error',
    says: 'The storage does not work, so new commands are not durable.',
    fields: { code: 'code', reason: 'text' },
  },
  'storage.lost': {
    level: 'error',
    says: 'Stored data was deleted. The device continues with the data that is still in memory, and fetches the other data from other devices.',
    fields: { reason: 'text' },
  },
  'storage.works': {
    level: 'info',
    says: 'The storage works again.',
    fields: {},
  },
  'upkeep.failed': {
    level: 'warn',
    says: 'A maintenance task failed. The failed task can be repeated later.',
    fields: { what: 'text', code: 'code' },
  },
  'service.started': {
    level: 'debug',
    says: 'One of the services of a plane, a tab or a daemon has started.',
    fields: { service: 'text' },
  },
  'service.stopped': {
    level: 'debug',
    says: 'One of the services of a plane, a tab or a daemon has stopped. Services stop in the reverse order of their start.',
    fields: { service: 'text' },
  },
  'service.failed': {
    level: 'warn',
    says: 'One of the services of a plane, a tab or a daemon failed while it was being stopped. The failure does not keep the other services from being stopped.',
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
    says: 'A task failed, and no caller waits for its result. The status shows the error.',
    fields: { code: 'code', reason: 'text' },
  },
  'plane.closed': {
    level: 'info',
    says: 'The plane was closed.',
    fields: {},
  },
  'space.founded': {
    level: 'info',
    says: 'This device created the space.',
    fields: { space: 'id', device: 'id' },
  },
  'invitation.made': {
    level: 'info',
    says: 'An invitation was made. The new invitation expires after `hours` hours and admits a device as a `member` or an `anchor`.',
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
    says: 'This tab works through another tab, the leading tab. `outdated` is true if the leading tab runs a newer version of the application.',
    fields: { outdated: 'flag' },
  },
  'tab.takes-over': {
    level: 'warn',
    says: 'This tab replaces the leading tab, because that tab is `silent` or runs an `older` version of the application.',
    fields: { why: 'code' },
  },
  'tab.replaced': {
    level: 'warn',
    says: 'Another tab has replaced this tab, which had stopped answering.',
    fields: {},
  },
  'tab.failed': {
    level: 'error',
    says: 'This tab could not become the leader. This tab lets other tabs try to lead first, and then tries again.',
    fields: { code: 'code', reason: 'text' },
  },
  'tab.ended': {
    level: 'warn',
    says: 'The plane of this tab ended although the application did not close it.',
    fields: { code: 'code', reason: 'text' },
  },
  'message.unreadable': {
    level: 'debug',
    says: 'Another tab sent a message that this tab cannot read. The sender of the message may run a different version of the application.',
    fields: { code: 'code' },
  },
  // The daemon.
  'daemon.ready': {
    level: 'info',
    says: 'The daemon accepts connections. `serves` is the address of the web application that the daemon serves.',
    fields: { space: 'id', device: 'id', serves: 'text' },
  },
  'daemon.stopping': {
    level: 'info',
    says: 'The daemon is stopping, and makes all data durable first.',
    fields: {},
  },
  'daemon.stopped': {
    level: 'info',
    says: 'The daemon has stopped, and all its data is durable.',
    fields: {},
  },
  'request.failed': {
    level: 'warn',
    says: 'A file of the served web application could not be read.',
    fields: { code: 'code' },
  },
  'log.shortened': {
    level: 'warn',
    says: 'The log omits lines, because too many lines were logged in one second.',
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
 * A function that gets every event as it happens. The function must not throw, and no other code may depend on its effects.
 *
 * Call a trace as `trace?.('link.opened', { … })`. If `trace` is `undefined`, the fields of the event are not evaluated.
 */
export type Trace = <Name extends TraceName>(name: Name, fields: TraceFields<Name>) => void

/** Handlers of events, by the name of the event. Events without a handler are ignored. */
export type TraceListener = { readonly [Name in TraceName]?: (fields: TraceFields<Name>) => void }

/** Makes a trace that passes events to the handlers of `listener`. */
export const traceTo =
  (listener: TraceListener): Trace =>
  (name, fields) =>
    listener[name]?.(fields)
