const $ = id => document.getElementById(id)
const requirements = [...document.querySelectorAll('.req')]
const areas = [...document.querySelectorAll('.area')]
const ticks = [...document.querySelectorAll('#filter [name=verdict]')]
const texts = new Map()

function textOf(requirement) {
  if (!texts.has(requirement)) {
    const copy = requirement.cloneNode(true)
    // Nearly all examples name nearly all circumstances in which they are well.
    for (const well of copy.querySelectorAll('.cells dl')) well.remove()
    texts.set(requirement, copy.textContent.toLowerCase())
  }
  return texts.get(requirement)
}

function filter() {
  const wanted = new Set(ticks.filter(tick => tick.checked).map(tick => tick.value))
  const words = $('text').value.toLowerCase().split(/\s+/)
  let shown = 0
  for (const requirement of requirements) {
    const fits =
      wanted.has(requirement.dataset.verdict) && words.every(word => textOf(requirement).includes(word))
    requirement.hidden = !fits
    if (fits) shown++
  }
  for (const area of areas) area.hidden = !area.querySelector('.req:not([hidden])')
  $('none').hidden = shown > 0
  $('shown').textContent =
    shown === requirements.length ? '' : `${shown} of ${requirements.length} requirements`
}

function reveal() {
  let name = location.hash.slice(1)
  try {
    name = decodeURIComponent(name)
  } catch {
    // Somebody else made this address: take it as it is.
  }
  const target = $(name)
  if (!target) return
  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === 'DETAILS') node.open = true
    if (node !== $('filter')) node.hidden = false
  }
  target.scrollIntoView()
}

$('filter').hidden = false
// A narrow screen has no room for the filter and the contents beside the report.
if (matchMedia('(max-width: 62rem)').matches)
  for (const part of document.querySelectorAll('nav details')) part.open = false
$('filter').addEventListener('input', filter)
$('filter').addEventListener('submit', event => event.preventDefault())
$('open').addEventListener('click', () => {
  for (const requirement of requirements) requirement.open = true
})
$('close').addEventListener('click', () => {
  for (const requirement of requirements) requirement.open = false
})
// Nobody can open a folded group on paper.
let opened = []
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('.group:not([open])')]
  for (const group of opened) group.open = true
})
addEventListener('afterprint', () => {
  for (const group of opened) group.open = false
})
addEventListener('hashchange', reveal)
reveal()
