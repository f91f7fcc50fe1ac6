import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'

import { checkInvitationTime, PeerplaneError, readInvitation } from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'

import type { Config } from '../config.ts'
import { planeFiles } from '../directory.ts'
import { checkAddresses } from '../libp2p.ts'

/** Finds what is wrong with a configuration while nothing has been made yet. */
export async function checkConfig(config: Config): Promise<void> {
  const { store } = planeFiles(config.data, config.space)
  if (config.join !== undefined) await checkJoin(config.join, existsSync(store))
  checkAddresses(config.announce)
  if (config.serve !== undefined) await checkServed(config.serve)
  await checkHost(config.host)
}

/** A member opens an old link to its own space: only who is new must be in time. */
async function checkJoin(link: string, isMember: boolean): Promise<void> {
  const { crypto, clock } = systemPlatform()
  const { grant } = await readInvitation(link, { crypto })
  if (!isMember) checkInvitationTime(grant.notAfter, clock.now())
}

async function checkServed(path: string): Promise<void> {
  // Ignored: that there is no such directory is the answer.
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw new PeerplaneError('invalid-configuration', `there is no directory ${path} to serve`, {
    advice: 'Build the application first, or correct --serve.',
  })
}

/** Whether this machine has the address, which only listening at it tells. */
async function checkHost(host: string): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen(0, host, resolve)
    })
  } catch (cause) {
    const reason = `this machine cannot listen at ${host}: ${(cause as Error).message}`
    throw new PeerplaneError('invalid-configuration', reason, {
      cause,
      advice: 'Name an address of this machine with --host, or 0.0.0.0 for all of them.',
    })
  } finally {
    probe.close()
  }
}
