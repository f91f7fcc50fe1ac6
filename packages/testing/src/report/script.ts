/** What runs in the report: zoom, filters, details. Without it everything can still be seen. */
export const script = `
const $ = (name) => document.querySelector(name)
const chart = $('.chart'), scroll = $('.scroll'), time = $('.time'), details = $('#details')
const end = Number(time.dataset.end), focus = Number(time.dataset.focus)
let scale = 1
function zoom(next, middle) {
  const at = middle ?? (scroll.scrollLeft + scroll.clientWidth / 2) / scale
  scale = Math.min(20, Math.max((scroll.clientWidth - 100) / end, next))
  chart.style.setProperty('--scale', scale)
  chart.classList.toggle('near', scale > 0.3)
  scroll.scrollLeft = at * scale - scroll.clientWidth / 2
  ticks()
}
function ticks() {
  const begin = Number(time.dataset.begin), axis = $('.axis')
  const step = [1, 5, 10, 50, 100, 500, 1000, 5000, 10000, 60000, 300000].find((ms) => ms * scale > 80) ?? 3600000
  axis.replaceChildren()
  for (let t = Math.ceil(-begin / step) * step; t <= end - begin; t += step) {
    const tick = document.createElement('i')
    tick.style.setProperty('--t', t + begin)
    tick.textContent = (t / 1000).toFixed(step < 1000 ? 3 : 0) + ' s'
    axis.append(tick)
  }
}
const fit = () => zoom(0)
$('#in').onclick = () => zoom(scale * 2)
$('#out').onclick = () => zoom(scale / 2)
$('#fit').onclick = fit
$('#focus').onclick = () => zoom((scroll.clientWidth - 100) / 1500, focus)
for (const name of ['msg', 'deps']) $('#' + name).onchange = (event) => chart.classList.toggle('no' + name, !event.target.checked)
$('#entity').onchange = ({ target }) => {
  for (const mark of document.querySelectorAll('.lane [data-e]'))
    mark.classList.toggle('dim', target.value !== '' && !mark.dataset.e.split(' ').includes(target.value))
}
scroll.addEventListener('wheel', (event) => {
  if (!event.ctrlKey) return
  event.preventDefault()
  const at = (event.clientX - scroll.getBoundingClientRect().left + scroll.scrollLeft) / scale
  zoom(scale * (event.deltaY < 0 ? 1.25 : 0.8), at)
}, { passive: false })
let kept
function tell(mark) {
  details.textContent = mark.dataset.d
  for (const lit of document.querySelectorAll('.lit')) lit.classList.remove('lit')
  const related = mark.dataset.c ? document.querySelectorAll('.lane [data-c="' + mark.dataset.c + '"]') : [mark]
  for (const each of related) each.classList.add('lit')
}
time.addEventListener('mouseover', ({ target }) => {
  const mark = target.closest('[data-d]')
  if (mark && !kept) tell(mark)
})
time.addEventListener('click', ({ target }) => {
  kept = target.closest('[data-d]')
  if (kept) tell(kept)
})
addEventListener('resize', () => zoom(scale))
fit()
`
