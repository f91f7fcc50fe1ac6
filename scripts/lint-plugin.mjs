/** House rules that no linter ships. */
const noExportAll = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    return {
      /** @param {unknown} node */
      ExportAllDeclaration(node) {
        context.report({ node, message: 'Name what is exported: an `export *` hides the API.' })
      },
    }
  },
}

export default { meta: { name: 'house' }, rules: { 'no-export-all': noExportAll } }
