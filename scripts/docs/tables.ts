// The pages that are generated from tables in the code: errors, limits, events, configuration and merge rules.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { errorKinds, limitTable, traceEvents } from '../../packages/core/src/index.ts'
import { flagOf, settings, variableOf } from '../../packages/node/src/config.ts'
import { mergeRulesPage } from './merge-rules.ts'

/** Generated pages by path below the root. */
function pages(): Record<string, string> {
  const errors = Object.entries(errorKinds).map(
    ([code, { meaning, retry, action }]) =>
      `| \`${code}\` | ${meaning} | ${retry ? 'yes' : 'no'} | ${action} |`,
  )
  const limits = Object.entries(limitTable).map(
    ([name, { value, unit, why }]) =>
      `| \`${name}\` | ${value.toLocaleString('en')} | ${unit} | ${why} |`,
  )
  const keys = Object.entries(settings).map(
    ([name, { about, argument, default: initial, form }]) =>
      `| \`${name}\` | \`--${flagOf(name)}${argument === undefined ? '' : ` ${argument}`}\` | \`${variableOf(name)}\` | ${form} | ${initial === undefined ? '' : `\`${JSON.stringify(initial)}\``} | ${about} |`,
  )
  const events = Object.entries(traceEvents).map(([name, { level, says, fields }]) => {
    const listed = Object.entries(fields).map(([field, kind]) => `${field}: ${kind}`)
    return `| \`${name}\` | ${level} | ${says} | ${listed.length > 0 ? `\`{ ${listed.join(', ')} }\`` : ''} |`
  })
  return {
    'docs/configuration.md': `# Configuration

This page lists the settings of \`peerplane up\`. \`npm start\` runs \`peerplane up\` and takes the same flags: \`npm start -- --port 7430\`. Flags override environment variables, which override the configuration file, which overrides the defaults. The configuration file is \`peerplane.json\` in the working directory, unless \`--config FILE\` or \`PEERPLANE_CONFIG\` names a different file. If the configuration has an unknown key, the daemon does not start. \`npm run docs\` generates this page from the code.

| key | flag | variable | value | default | meaning |
| --- | --- | --- | --- | --- | --- |
${keys.join('\n')}

An anchor for browsers on other machines needs a TLS proxy in front of it, because pages served over https may only open \`wss\` connections:

\`\`\`json
{
  "anchor": true,
  "data": "/var/lib/peerplane",
  "announce": ["/dns4/anchor.example/tcp/443/wss"],
  "page": "https://app.example/"
}
\`\`\`
`,
    'docs/errors.md': `# Errors

Every failure is a \`PeerplaneError\` with one of the codes in this table. If a handler refuses a command, the failure is a \`Rejected\` with the code and the reason of the application. \`npm run docs\` generates this page from the code.

| code | meaning | retry | what to do |
| --- | --- | --- | --- |
${errors.join('\n')}
`,
    'docs/events.md': `# Events

Events report what a plane does, for logs, recorders and metrics. The function that an application passes as \`open({ trace })\` is called with the name and the fields of every event as it happens. A daemon logs its events; see \`--log\` in [configuration](configuration.md). Without a \`trace\` function, no events are created. \`npm run docs\` generates this page from the code.

Fields of the kinds \`id\`, \`text\` and \`code\` are strings; an \`id\` may be absent. Fields of the kinds \`count\`, \`bytes\` and \`ms\` are numbers, and a \`flag\` is true or false. A field of the kind \`data\` is a value from memory, for recorders. Logs never print \`data\` fields, because such fields may contain text that a person typed.

| event | level | what has happened | fields |
| --- | --- | --- | --- |
${events.join('\n')}
`,
    'docs/merge-rules.md': mergeRulesPage(),
    'docs/limits.md': `# Limits

Every buffer, queue, frame and message has a named limit. \`npm run docs\` generates this page from the code.

| limit | value | unit | meaning |
| --- | --- | --- | --- |
${limits.join('\n')}
`,
  }
}

/** Writes the generated pages. */
export function writeTables(root: string): void {
  for (const [path, text] of Object.entries(pages())) writeFileSync(join(root, path), text)
}

/** Generated pages that are not what the code says. */
export function staleTables(root: string): string[] {
  return Object.entries(pages())
    .filter(([path, text]) => readFileSync(join(root, path), 'utf8') !== text)
    .map(([path]) => `${path} is not what the code says: npm run docs writes it again`)
}
