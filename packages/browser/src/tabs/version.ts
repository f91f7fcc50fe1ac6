import { count, object } from '@peerplane/runtime/contract'

/** What a tab runs. */
export interface TabVersion {
  /** The version of the application, as it was passed to `open`. */
  readonly app: number
  /** The version of what tabs say to each other: {@link CONTRACT_VERSION}. */
  readonly contract: number
}

/** Goes up with every change of the contract of a backend, or of the messages of tabs. */
export const CONTRACT_VERSION = 2

/** Throws `malformed`. */
export const readVersion = (data: unknown): TabVersion => version.read(data, 'version')

/** Positive if `a` is newer than `b`. */
export const compareVersions = (a: TabVersion, b: TabVersion): number =>
  a.app - b.app || a.contract - b.contract

const version = object<TabVersion>({ app: count, contract: count })
