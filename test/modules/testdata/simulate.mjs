// Evaluates requests against policies, as IAM does. Reads a JSON array of
// simulations from standard input and writes an array of results:
// {"allowed": true} or {"allowed": false}, or {"error": "…"} for one that
// can't be trusted. See allowed in simulate_test.go.
import { text } from 'node:stream/consumers'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const from = createRequire(process.argv[2] + '/')
const { runSimulation } = await import(pathToFileURL(from.resolve('@cloud-copilot/iam-simulate')))

const results = []
const settled = new Set()
for (const { question, expected, ...simulation } of JSON.parse(await text(process.stdin))) {
  if (settled.has(question)) {
    results.push({ allowed: expected })
    continue
  }
  const answer = await runSimulation(simulation, {})
  if (answer.resultType !== 'single') {
    results.push({ error: JSON.stringify(answer.errors ?? answer.resultType) })
    continue
  }
  // A context key that it does not know for the action is dropped, and a condition
  // on it decides nothing.
  const ignored = answer.result.ignoredContextKeys ?? []
  const allowed = answer.overallResult === 'Allowed'
  results.push(ignored.length > 0 ? { error: 'ignores ' + ignored } : { allowed })
  if (question !== undefined && allowed !== expected) settled.add(question)
}
process.stdout.write(JSON.stringify(results))
