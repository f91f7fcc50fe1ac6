import { errorKinds, PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'
import type { Plane, PlaneStatus, Problem } from '@peerplane/runtime'

/** The error that `problem` was before it became data. */
export function problemError({ code, message }: Problem): PeerplaneError {
  const known = Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : 'malformed'
  const error = new PeerplaneError(known, '')
  // As it was, with the advice that is already in it.
  error.message = message
  return error
}

/** The status of a plane at this moment. */
export async function currentStatus(plane: Plane): Promise<PlaneStatus> {
  let stop = (): void => {}
  const status = await new Promise<PlaneStatus>((resolve) => {
    stop = plane.onStatus(resolve)
  })
  stop()
  return status
}
