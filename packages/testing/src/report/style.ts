/** Of the report; colours by role, once for light and once for dark surroundings. */
export const style = `
:root { color-scheme: light dark;
  --page: light-dark(#fff, #16181d); --ink: light-dark(#1c2330, #e6e9ef); --faint: light-dark(#667085, #98a2b3);
  --line: light-dark(#d7dce4, #343a46); --lane: light-dark(#f6f7f9, #1d2027); --bar: light-dark(#cfd8e6, #3b4557);
  --ok: light-dark(#12784a, #4cc38a); --bad: light-dark(#c4281c, #ff7a6b); --unsure: light-dark(#9a6700, #e3b341);
  --commit: light-dark(#2456c8, #7ba7ff); --fault: light-dark(#d97706, #f0a13c); --shade: light-dark(#d9770626, #f0a13c2e);
  --frame: light-dark(#8a94a6, #6b7588); }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header, section { padding: 0 24px; max-width: 110ch }
h1 { font-size: 24px; margin: 24px 0 4px } h2 { font-size: 18px; margin: 28px 0 6px }
p { margin: 6px 0 } code, pre { font: 13px/1.45 ui-monospace, monospace }
.faint { color: var(--faint) }
.verdict { border: 1px solid var(--line); border-left: 6px solid var(--ok); padding: 10px 16px; margin: 14px 0; border-radius: 4px }
.verdict.broken { border-left-color: var(--bad) } .verdict b { color: var(--ok) } .verdict.broken b { color: var(--bad) }
.verdict dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 6px 0 0 } dt { color: var(--faint) } dd { margin: 0; overflow-wrap: anywhere }
.controls { position: sticky; top: 0; z-index: 6; display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 10px 24px; background: var(--page); border-bottom: 1px solid var(--line) }
.controls button, .controls select { font: inherit; color: inherit; background: var(--lane); border: 1px solid var(--line); border-radius: 5px; padding: 3px 11px; cursor: pointer }
:focus-visible { outline: 2px solid var(--commit); outline-offset: 1px }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 10px 24px 4px; font-size: 13px; color: var(--faint) }
.legend span { display: inline-flex; align-items: center; gap: 6px } .legend .m { position: static; transform: none }
.legend .span { width: 22px; height: 14px }
.chart { display: grid; grid-template-columns: 132px 1fr; border-block: 1px solid var(--line) }
.names { padding-top: 46px; border-right: 1px solid var(--line); background: var(--page); z-index: 3 }
.names div { height: 112px; padding: 8px 10px 0 24px; border-top: 1px solid var(--line); line-height: 1.3 } .names small { color: var(--faint); display: block }
.scroll { overflow-x: auto; position: relative }
.time { position: relative; width: calc(var(--end) * var(--scale) * 1px + 90px); min-width: 100% }
.axis { height: 46px; position: relative } .axis i { position: absolute; bottom: 4px; left: calc(var(--t) * var(--scale) * 1px); font: 12px system-ui; color: var(--faint); padding-left: 5px; border-left: 1px solid var(--line); white-space: nowrap }
.lane { position: relative; height: 112px; border-top: 1px solid var(--line); background: var(--lane) }
.lane > *, .over > i { position: absolute; left: calc(var(--t) * var(--scale) * 1px) }
.bar { top: 8px; height: 16px; width: max(2px, calc(var(--w) * var(--scale) * 1px)); background: var(--bar); border-radius: 3px; font: 11px/16px system-ui; padding-left: 5px; overflow: hidden; white-space: nowrap }
.bar.cut { border-right: 4px solid var(--fault); border-radius: 3px 0 0 3px }
.span { background: var(--shade); border-inline: 1px solid var(--fault); position: absolute } .lane > .span { top: 0; bottom: 0; width: max(3px, calc(var(--w) * var(--scale) * 1px)) }
.span em { position: absolute; bottom: 1px; left: 4px; font: 11px system-ui; color: var(--fault); white-space: nowrap }
.m { display: inline-block; border: 0; padding: 0; background: none; cursor: pointer; transform: translateX(-50%); z-index: 2 }
.cmd { top: 32px; width: 13px; height: 13px; border-radius: 50%; background: var(--ok) } .cmd.rejected { background: var(--bad) } .cmd.unknown { background: var(--unsure) }
.own { top: 55px; width: 13px; height: 13px; background: var(--commit); border-radius: 2px } .got { top: 56px; width: 11px; height: 11px; border: 2px solid var(--commit); border-radius: 2px; background: var(--page) }
.shows { top: 78px; width: 3px; height: 12px; background: var(--ink); opacity: .55 }
.own b { position: absolute; left: 15px; top: -4px; font: 600 11px system-ui; color: var(--commit); display: none } .near .own b { display: block }
.wrong { top: 92px; width: 18px; height: 18px; border-radius: 50%; background: var(--bad); color: light-dark(#fff, #16181d); font: 700 12px/18px system-ui; text-align: center; z-index: 4 }
.over { position: absolute; inset: 46px 0 0 0; pointer-events: none } .over > i { top: 0; bottom: 0; border-left: 2px dashed var(--line) } .over > i.violated { border-color: var(--bad); border-left-style: solid }
.over > i.violated::before { content: '!'; position: absolute; top: -22px; left: -10px; width: 18px; height: 18px; border-radius: 50%; background: var(--bad); color: light-dark(#fff, #16181d); font: 700 12px/18px system-ui; text-align: center }
.over svg { position: absolute; left: 0; top: 0; width: calc(var(--end) * var(--scale) * 1px); height: 100% } .over path { fill: none; vector-effect: non-scaling-stroke; stroke: var(--frame); stroke-width: 1; opacity: .45 } .over path.dep { stroke: var(--commit); opacity: .7; stroke-width: 1.5 }
.nomsg .frames, .nodeps .deps { display: none }
.dim { opacity: .12 } .lit { outline: 3px solid var(--unsure); outline-offset: 1px; z-index: 5 }
#details { position: sticky; bottom: 0; z-index: 6; min-height: 76px; max-height: 32vh; overflow: auto; padding: 10px 24px; background: var(--page); border-top: 2px solid var(--line); white-space: pre-wrap; font-size: 14px; overflow-wrap: anywhere }
pre { overflow-x: auto; background: var(--lane); border: 1px solid var(--line); border-radius: 5px; padding: 12px }
`
