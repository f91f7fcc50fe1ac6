import type { Plan } from '../plan/plan.ts'
import type { Recording } from '../record/recording.ts'
import { tellRun } from '../record/story.ts'
import { seconds, Words } from '../record/words.ts'
import { escape } from './escape.ts'
import { LANE_PX, laneOf, pathsOf } from './marks.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/**
 * Makes a self-contained HTML page about a run, with the events on every device over time and the broken rule. `replay` is the command that repeats
 * the run.
 */
export function reportHtml(plan: Plan<unknown>, recording: Recording, replay: string): string {
  const words = new Words(
    recording,
    plan.steps.map(({ id }) => id),
  )
  const title = `Simulated run, seed ${plan.seed}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
<header>
<h1>${escape(title)}</h1>
<p class="faint">${escape(summary(plan, recording))}</p>
${verdict(recording, words)}
<p>Each lane is one device; time runs to the right and is virtual: seconds since all devices had joined. Point at a mark to read about it, click to keep it; a commit that is chosen is marked on all devices.</p>
</header>
${controls(recording)}
${LEGEND}
${chart(recording, words)}
<div id="details" aria-live="polite">Point at a mark.</div>
<section>
<h2>The same as text</h2>
<pre>${escape(tellRun(plan, recording)).replaceAll('&#10;', '\n')}</pre>
<h2>Run it again</h2>
<pre>${escape(replay)}</pre>
</section>
<script>${script}</script>
</html>
`
}

function summary(
  plan: Plan<unknown>,
  { commands, commits, faults, frames, endMs }: Recording,
): string {
  const things = [
    [plan.devices.length, 'device'],
    [plan.steps.length, 'step'],
    [commands.length, 'command'],
    [commits.length, 'commit'],
    [faults.length + plan.conditions.length, 'fault'],
    [frames.length, 'message'],
  ] as const
  const counts = things.map(([count, what]) => `${count} ${what}${count === 1 ? '' : 's'}`)
  return `${counts.join(', ')}, ${seconds(endMs)} of virtual time.`
}

function verdict({ violations, beginMs }: Recording, words: Words): string {
  const first = violations[0]
  if (!first) {
    return '<div class="verdict"><b>No rule was broken.</b></div>'
  }
  const when = `${((first.atMs - beginMs) / 1000).toFixed(3)} s`
  const more = violations.length > 1 ? `<dt>Later</dt><dd>${violations.length - 1} more</dd>` : ''
  return `<div class="verdict broken"><b>A rule was broken: ${escape(first.rule)}</b>
<dl><dt>Expected</dt><dd>${escape(words.rule(first.rule))}</dd>
<dt>Seen</dt><dd>${escape(words.seen(first))}</dd>
<dt>Where</dt><dd>${escape(words.who(first.where))}</dd>
<dt>When</dt><dd>${when}</dd>${more}</dl></div>`
}

function controls({ commands, commits, violations }: Recording): string {
  const entities = new Set([
    ...commands.flatMap(({ on }) => on.map(({ entity }) => entity)),
    ...commits.flatMap((commit) => commit.entities),
  ])
  const options = [...entities]
    .sort()
    .map((entity) => `<option>${escape(entity)}</option>`)
    .join('')
  const focus = violations.length > 0 ? 'To the broken rule' : 'To the end'
  return `<div class="controls">
<button id="in">Zoom in</button><button id="out">Zoom out</button><button id="fit">Everything</button><button id="focus">${focus}</button>
<label>Entity <select id="entity"><option value="">all</option>${options}</select></label>
<label><input type="checkbox" id="msg" checked> messages</label>
<label><input type="checkbox" id="deps" checked> dependencies</label>
</div>`
}

const LEGEND = `<div class="legend">
<span><i class="m cmd"></i>command, acknowledged</span><span><i class="m cmd rejected"></i>rejected</span><span><i class="m cmd unknown"></i>no answer</span>
<span><i class="m own"></i>commit, stored by its author</span><span><i class="m got"></i>commit, received</span><span><i class="m shows"></i>its effect is shown</span>
<span><i class="span" style="position:static"></i>fault</span><span><i class="m wrong">!</i>rule broken here</span>
</div>`

function chart(recording: Recording, words: Words): string {
  const { devices, endMs, beginMs, violations, conditions } = recording
  const end = Math.ceil(endMs)
  const focus = violations[0]?.atMs ?? endMs
  const names = devices.map(({ name, anchor, cloneOf }) => {
    const notes = [
      anchor ? 'anchor' : '',
      cloneOf === undefined ? '' : `clone of ${words.who(cloneOf)}`,
      ...conditions.flatMap((each) =>
        'device' in each && each.device === name ? [words.condition(each)] : [],
      ),
    ]
    return `<div><strong>${escape(words.who(name))}</strong><small>${notes.filter(Boolean).map(escape).join('<br>')}</small></div>`
  })
  const lanes = devices.map(
    ({ name }) => `<div class="lane">${laneOf(name, recording, words)}</div>`,
  )
  const { frames, deps } = pathsOf(recording)
  const violated = violations[0]
    ? `<i class="violated" style="--t:${Math.round(violations[0].atMs)}"></i>`
    : ''
  return `<div class="chart" style="--scale:0.05;--end:${end}">
<div class="names">${names.join('')}</div>
<div class="scroll"><div class="time" data-end="${end}" data-begin="${beginMs.toFixed(1)}" data-focus="${Math.round(focus)}">
<div class="axis"></div>
${lanes.join('\n')}
<div class="over"><i style="--t:${Math.round(beginMs)}"></i>${violated}
<svg viewBox="0 0 ${end} ${devices.length * LANE_PX}" preserveAspectRatio="none" aria-hidden="true"><path class="frames" d="${frames}"/><path class="deps dep" d="${deps}"/></svg></div>
</div></div></div>`
}
