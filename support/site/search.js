// Runs in the browser, on search.html, without a server. INDEX and OPTIONS are in search-index.js.
const SHOWN = 50
const input = document.querySelector('#q')
const index = MiniSearch.loadJS(INDEX, OPTIONS)

const HOW = {
  prefix: word => word.length > 2,
  boost: { title: 3, kind: 3 },
  combineWith: 'AND',
}

/** Words as they are written; only where there are none, words that are much alike. */
function search(words) {
  const found = index.search(words, HOW)
  return found.length > 0 ? found : index.search(words, { ...HOW, fuzzy: 0.2 })
}

function show() {
  const found = search(input.value)
  const items = found.slice(0, SHOWN).map(({ id, title, kind, page }) => {
    const item = document.createElement('li')
    const link = document.createElement('a')
    link.href = id
    link.textContent = title
    const about = document.createElement('span')
    about.className = 'dim'
    about.textContent = page ? ` ${kind}: ${page}` : ` ${kind}`
    item.append(link, about)
    return item
  })
  document.querySelector('#results').replaceChildren(...items)
  const more = found.length > SHOWN ? `, the best ${SHOWN} of them below` : ''
  document.querySelector('#count').textContent =
    input.value.trim() === '' ? '' : `${found.length === 1 ? '1 result' : `${found.length} results`}${more}`
}

input.value = new URLSearchParams(location.search).get('q') ?? ''
input.addEventListener('input', show)
document.querySelector('#search').addEventListener('submit', event => event.preventDefault())
show()
input.focus()
