// Property tests take the same inputs in every run, so that a red run is the fault of the change. PROP_SEED chooses others.
import fc from 'fast-check'

const host = globalThis as { process?: { env: Record<string, string | undefined> } }
fc.configureGlobal({ seed: Number(host.process?.env['PROP_SEED'] ?? 1) })
