import { PeerplaneError, type Trace } from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'

import { checkConfig } from './check.ts'
import { invitationPage } from './invitation-page.ts'
import type { Config } from '../config.ts'
import { serveControl } from '../control.ts'
import type { DaemonInfo } from '../control.ts'
import { planeFiles } from '../directory.ts'
import { createLog } from '../log/log.ts'
import type { DaemonLog } from '../log/log.ts'
import { openBackend } from '../open.ts'
import { currentStatus } from '../problem.ts'
import { serveFiles } from '../serve.ts'
import type { FileServer } from '../serve.ts'

/** What a daemon says when it is ready. */
export interface Ready {
  readonly space: string
  readonly device: string
  readonly addresses: readonly string[]
  /** Page of the served application with an invitation of 24 hours in its fragment, unless there is a warning; `undefined` when nothing is served. */
  readonly url: string | undefined
}

/** A running daemon. */
export interface Daemon {
  readonly ready: Ready
  /** What the person who started it should know. */
  readonly warning: string | undefined
  /** Takes no more requests, makes everything durable, closes. */
  drain(): Promise<void>
}

/** Starts a daemon. What was started before a failure is closed again; a configuration that cannot work leaves nothing behind. */
export async function startDaemon(config: Config, trace: Trace | undefined): Promise<Daemon> {
  await checkConfig(config)
  const closers: (() => Promise<void>)[] = []
  const drain = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close()
  }
  try {
    const backend = await openBackend({
      entities: [],
      space: config.space,
      join: config.join,
      data: config.data,
      anchor: config.anchor,
      listen: listenAddresses(config),
      announce: config.announce,
      proxies: config.proxies,
      trace,
    })
    closers.push(() => backend.close())
    const files = await serveApplication(config, trace)
    if (files) closers.push(() => files.close())
    const page = config.page ?? (files && `${files.origin}/`)
    const invite = async (hours: number): Promise<string> =>
      invitationPage(page, await backend.invite(hours, false))
    const control = planeFiles(config.data, config.space).control
    const describe = async (): Promise<DaemonInfo> => ({ name: config.space, page })
    closers.push(await serveControl(control, { ...backend, describe }, backend))
    const { space, device, addresses } = await currentStatus((listener) =>
      backend.watchStatus(listener),
    )
    const { url, warning } = await invitingUrl(files, invite)
    trace?.('daemon.ready', {
      space,
      device,
      serves: files?.origin ?? '',
    })
    return { ready: { space, device, addresses, url }, warning, drain }
  } catch (error) {
    await drain()
    throw error
  }
}

/** The log of a daemon, on stderr. Who reads it may go away: that ends no daemon. */
export function daemonLog({ log: level, logFormat: format }: Config): DaemonLog {
  // Ignored: nobody is left to report it to.
  process.stderr.on('error', () => undefined)
  const { clock, scheduler } = systemPlatform()
  return createLog({
    level,
    format,
    clock,
    scheduler,
    write: (line) => process.stderr.write(line),
  })
}

/** A daemon whose clock is in doubt starts too: then the link to its page is without an invitation. */
async function invitingUrl(
  files: FileServer | undefined,
  invite: (hours: number) => Promise<string>,
): Promise<{ url: string | undefined; warning: string | undefined }> {
  if (!files) return { url: undefined, warning: undefined }
  try {
    return { url: await invite(24), warning: undefined }
  } catch (error) {
    if (!(error instanceof PeerplaneError && error.code === 'wrong-clock')) throw error
    return { url: `${files.origin}/`, warning: `no invitation was made: ${error.message}` }
  }
}

function serveApplication(
  { serve, host, httpPort, proxies }: Config,
  trace: Trace | undefined,
): Promise<FileServer | undefined> {
  return serve === undefined
    ? Promise.resolve(undefined)
    : serveFiles({ root: serve, host, port: httpPort, proxies, trace })
}

function listenAddresses({ host, port, tcpPort }: Config): string[] {
  const at = `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}`
  return [`${at}/tcp/${port}/ws`, `${at}/tcp/${tcpPort}`]
}
