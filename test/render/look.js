// Runs in the browser after everything was loaded, and leaves in the element
// #seen, as JSON, what each article of the page holds: see the type seen in
// look.go.
addEventListener('load', () => {
  // What our Markdown becomes; with the attributes that it may have.
  const ours = {
    A: ['href'], BLOCKQUOTE: [], BR: [], CODE: ['class'], DETAILS: [], EM: [], H2: [], H3: [], H4: [], HR: [], LI: [], OL: [], P: [], PRE: [],
    STRONG: [], SUB: [], SUMMARY: [], TABLE: [], TBODY: [], TD: ['align'], TH: ['align'], THEAD: [], TR: [], UL: [],
  }
  const alert = { DIV: /^markdown-alert markdown-alert-(note|tip|important|warning|caution)$/, P: /^markdown-alert-title$/ }
  // What GitHub's filters look for in text that is neither code nor a link's:
  // mentions, references, commits, emoji, math, addresses.
  const effect = /@[a-z0-9]|#[0-9]|\bgh-[0-9]|\b[0-9a-f]{7,64}\b|:[a-z0-9_+-]+:|\$|:\/\/|\bwww\.[a-z0-9]|[\u200b-\u200f\u2028-\u202e\u2066-\u2069]/i

  const look = (article) => {
    const seen = { name: article.dataset.name, problems: [], links: [], comments: [] }
    const problem = (text) => seen.problems.push(text)
    const walk = document.createTreeWalker(article, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT)
    while (walk.nextNode()) {
      const node = walk.currentNode
      if (node.nodeType === Node.COMMENT_NODE) {
        seen.comments.push(node.data.trim())
      } else if (node.nodeType === Node.TEXT_NODE) {
        const text = node.data
        if (node.parentElement.closest('code, pre')) continue
        const found = text.match(effect)
        if (found && !node.parentElement.closest('a')) problem(`GitHub makes something of ${JSON.stringify(found[0])} in ${JSON.stringify(text.trim())}`)
        if (text.includes('evil_')) problem(`not in code: ${JSON.stringify(text.trim())}`)
      } else if (!node.closest('.markdown-alert-title > svg.octicon')) {
        const tag = node.tagName
        const title = node.getAttribute('class')
        const isAlert = title !== null && alert[tag]?.test(title)
        const attributes = isAlert ? ['class'] : ours[tag]
        if (!attributes) problem(`an element that is not ours: ${node.cloneNode().outerHTML}`)
        for (const { name, value } of node.attributes) {
          const language = tag === 'CODE' && name === 'class' && !/^language-[a-z]+$/.test(value)
          if (attributes && (!attributes.includes(name) || language)) problem(`an attribute that is not ours: ${name}="${value}"`)
        }
        if (tag === 'A') seen.links.push(node.href)
      }
    }
    const last = article.lastElementChild
    if (last?.tagName !== 'H2' || last.textContent !== 'What follows') problem('what follows it is not where it belongs')
    return seen
  }

  // The sanitiser is there for others' pages: of ours it takes only the hidden comments.
  const withoutComments = (article) => {
    const copy = article.cloneNode(true)
    const walk = document.createTreeWalker(copy, NodeFilter.SHOW_COMMENT)
    const comments = []
    while (walk.nextNode()) comments.push(walk.currentNode)
    for (const comment of comments) comment.remove()
    return copy.innerHTML.trim()
  }

  const seen = []
  for (const raw of document.querySelectorAll('article.raw')) {
    const page = raw.nextElementSibling
    const before = look(raw)
    const after = look(page)
    const clean = withoutComments(raw) === withoutComments(page)
    seen.push({ ...before, problems: [...new Set([...before.problems, ...after.problems])], clean })
  }
  document.getElementById('seen').textContent = JSON.stringify({
    articles: seen, ran: window.ran, fetched: performance.getEntriesByType('resource').map((entry) => entry.name),
  })
  for (const article of document.querySelectorAll('article')) article.remove() // the browser prints what is left
})
