import type { Random } from '@peerplane/core'

/** Where the attacked daemon can be reached, and what it has handed out. */
export interface Target {
  readonly host: string
  readonly webSocketPort: number
  readonly tcpPort: number
  readonly pagePort: number
  /** Path of the daemon's control socket. */
  readonly control: string
  /** For attackers that are members. */
  readonly invitation: string
}

/** What an attack runs with. */
export interface Tools {
  /** 1 is the whole attack; the test suite takes a part of it. */
  readonly scale: number
  /** Of the seed: what is random in an attack can be repeated. */
  readonly random: Random
  /** An address of this machine that only this attacker comes from. */
  readonly source: string
  /** Aborted when the attack has to end. */
  readonly signal: AbortSignal
  /** Counts what was done; an attack that did nothing has shown nothing. */
  readonly count: (what: string, by?: number) => void
}

/** Something that a person who means harm does to a daemon, in a process of its own. */
export interface Attack {
  readonly name: string
  /** What it does, in a few words. */
  readonly about: string
  /** A stranger has an address, a local user also the control socket, a member an invitation. */
  readonly by: 'stranger' | 'local' | 'member'
  /** Resolves soon after the signal. */
  readonly run: (target: Target, tools: Tools) => Promise<void>
  /** What has to be counted at least once: otherwise the attack did not take place. */
  readonly needs: string
}
