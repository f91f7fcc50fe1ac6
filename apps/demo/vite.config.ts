import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  // Packages resolve to their sources, so the demo is never older than they are.
  resolve: { conditions: ['@peerplane/source', ...defaultClientConditions] },
  // Bundling it ahead would part it from its WASM file.
  optimizeDeps: { exclude: ['@automerge/automerge'] },
  // The editor is most of the first chunk; libp2p and Automerge load later, in chunks of their own.
  build: { target: 'es2024', sourcemap: true, chunkSizeWarningLimit: 800 },
})
