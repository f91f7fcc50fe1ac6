import { invitationPage } from './invitation-page.ts'
import type { Config } from '../config.ts'
import { serveControl } from '../control.ts'
import { planeFiles } from '../directory.ts'
import { open } from '../open.ts'
import { currentStatus } from '../problem.ts'
import { serveFiles } from '../serve.ts'
import type { FileServer } from '../serve.ts'

/** What a daemon says when it is ready. */
export interface Ready {
  readonly space: string
  readonly device: string
  readonly addresses: readonly string[]
  /** Page of the served application with an invitation of 24 hours in its fragment; `undefined` when nothing is served. */
  readonly url: string | undefined
}

/** A running daemon. */
export interface Daemon {
  readonly ready: Ready
  /** Takes no more requests, makes everything durable, closes. */
  drain(): Promise<void>
}

/** Starts a daemon. Whatever was started before a failure is closed again. */
export async function startDaemon(config: Config): Promise<Daemon> {
  const closers: (() => Promise<void>)[] = []
  const drain = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close()
  }
  try {
    const plane = await open({
      entities: [],
      space: config.space,
      join: config.join,
      data: config.data,
      anchor: config.anchor,
      listen: listenAddresses(config),
      announce: config.announce,
      proxies: config.proxies,
    })
    closers.push(() => plane.close())
    const files = await serveApplication(config)
    if (files) closers.push(() => files.close())
    const page = config.page ?? (files && `${files.origin}/`)
    const invite = async (hours: number): Promise<string> =>
      invitationPage(page, await plane.invite({ hours }))
    const control = planeFiles(config.data, config.space).control
    closers.push(
      await serveControl(control, {
        status: async () => JSON.parse(JSON.stringify(await currentStatus(plane))),
        invite,
      }),
    )
    const { space, device, addresses } = await currentStatus(plane)
    const ready = { space, device, addresses, url: files && (await invite(24)) }
    return { ready, drain }
  } catch (error) {
    await drain()
    throw error
  }
}

function serveApplication({
  serve,
  host,
  httpPort,
  proxies,
}: Config): Promise<FileServer | undefined> {
  return serve === undefined
    ? Promise.resolve(undefined)
    : serveFiles({ root: serve, host, port: httpPort, proxies })
}

function listenAddresses({ host, port, tcpPort }: Config): string[] {
  const at = `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}`
  return [`${at}/tcp/${port}/ws`, `${at}/tcp/${tcpPort}`]
}
