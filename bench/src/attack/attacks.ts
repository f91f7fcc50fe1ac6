import type { Attack } from './attack.ts'
import { calm } from './calm.ts'
import { hostileBodies } from './members/bodies.ts'
import { deviceFlood } from './members/device-flood.ts'
import { earlyNames } from './members/early-names.ts'
import { forkCourier, forkStorm } from './members/forks.ts'
import { forgedRuns } from './members/forged-runs.ts'
import { lyingFrontiers } from './members/frontiers.ts'
import { gossipFlood } from './members/gossip.ts'
import { sessionFlood } from './members/sessions.ts'
import { controlAbuse } from './strangers/control.ts'
import { giantTcpFrames, giantWebSocketFrames } from './strangers/giant-frames.ts'
import { silentFlood, silentSockets } from './strangers/silent.ts'
import { slowSockets } from './strangers/slow.ts'

/** Every attack, and first none. */
export const attacks: readonly Attack[] = [
  calm,
  silentSockets,
  silentFlood,
  slowSockets,
  giantWebSocketFrames,
  giantTcpFrames,
  controlAbuse,
  deviceFlood,
  sessionFlood,
  gossipFlood,
  forgedRuns,
  lyingFrontiers,
  forkStorm,
  forkCourier,
  earlyNames,
  ...hostileBodies,
]
