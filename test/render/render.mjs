// Makes of Markdown what GitHub makes of it. Reads a JSON array of Markdown from
// standard input and writes an array of {raw, page}: the HTML before and after
// the sanitiser, whose rules are GitHub's (rehype-sanitize's default schema).
import { text } from 'node:stream/consumers'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const from = createRequire(process.argv[2] + '/')
const load = async (name) => import(pathToFileURL(from.resolve(name)))
const { unified } = await load('unified')
const { default: remarkParse } = await load('remark-parse')
const { default: remarkGfm } = await load('remark-gfm')
const { default: remarkRehype } = await load('remark-rehype')
const { default: rehypeRaw } = await load('rehype-raw')
const { default: rehypeSanitize } = await load('rehype-sanitize')
const { rehypeGithubAlerts } = await load('rehype-github-alerts')
const { default: rehypeStringify } = await load('rehype-stringify')

// rehypeRaw reads the HTML within the Markdown as a browser does, so that an
// element which is left open takes in what follows it.
const read = unified().use(remarkParse).use(remarkGfm).use(remarkRehype, { allowDangerousHtml: true }).use(rehypeRaw)
const sanitise = unified().use(rehypeSanitize)
// GitHub makes alerts last: nobody's classes get through the sanitiser.
const finish = unified().use(rehypeGithubAlerts).use(rehypeStringify, { allowDangerousCharacters: true })

const write = (tree) => finish.stringify(finish.runSync(tree))
const pages = JSON.parse(await text(process.stdin)).map((markdown) => {
  const tree = read.runSync(read.parse(markdown))
  const clean = sanitise.runSync(tree) // a tree of its own
  return { raw: write(tree), page: write(clean) }
})
process.stdout.write(JSON.stringify(pages))
