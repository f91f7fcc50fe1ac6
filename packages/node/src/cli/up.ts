import { PeerplaneError, Services, type Trace } from '@peerplane/core'
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
import type { OpenOptions } from '../options.ts'
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
  stop(): Promise<void>
}

/**
 * Starts a daemon: the plane, the pages, the control socket. What was started before a failure, or before `signal` aborts, is stopped again,
 * in the reverse order; a configuration that cannot work leaves nothing behind.
 */
export async function startDaemon(
  config: Config,
  trace: Trace | undefined,
  signal: AbortSignal,
): Promise<Daemon> {
  await checkConfig(config)
  return Services.open(trace, async (services) => {
    // Ignored: it is traced, and the opening rejects.
    const stop = (): void => void services.stop().catch(() => undefined)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    try {
      return await startParts(services, config, trace)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  })
}

async function startParts(
  services: Services,
  config: Config,
  trace: Trace | undefined,
): Promise<Daemon> {
  const backend = await services.start(
    'plane',
    () => openBackend(planeOptions(config, trace)),
    (plane) => plane.close(),
  )
  const files =
    config.serve === undefined ? undefined : await serve(services, config, config.serve, trace)
  const page = config.page ?? (files && `${files.origin}/`)
  const { control } = planeFiles(config.data, config.space)
  const describe = async (): Promise<DaemonInfo> => ({ name: config.space, page })
  await services.start(
    'control socket',
    () => serveControl(control, { ...backend, describe }, backend),
    (server) => server.stop(),
  )
  return services.step(async () => {
    const { space, device, addresses } = await currentStatus((listener) =>
      backend.watchStatus(listener),
    )
    const invite = async (): Promise<string> => invitationPage(page, await backend.invite({}))
    const { url, warning } = await invitingUrl(files, invite)
    trace?.('daemon.ready', { space, device, serves: files?.origin ?? '' })
    return { ready: { space, device, addresses, url }, warning, stop: () => services.stop() }
  })
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
  invite: () => Promise<string>,
): Promise<{ url: string | undefined; warning: string | undefined }> {
  if (!files) return { url: undefined, warning: undefined }
  try {
    return { url: await invite(), warning: undefined }
  } catch (error) {
    if (!(error instanceof PeerplaneError && error.code === 'wrong-clock')) throw error
    return { url: `${files.origin}/`, warning: `no invitation was made: ${error.message}` }
  }
}

const planeOptions = (config: Config, trace: Trace | undefined): OpenOptions => ({
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

const serve = (
  services: Services,
  { host, httpPort, proxies }: Config,
  root: string,
  trace: Trace | undefined,
): Promise<FileServer> =>
  services.start(
    'pages',
    () => serveFiles({ root, host, port: httpPort, proxies, trace }),
    (server) => server.stop(),
  )

function listenAddresses({ host, port, tcpPort }: Config): string[] {
  const at = `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}`
  return [`${at}/tcp/${port}/ws`, `${at}/tcp/${tcpPort}`]
}
