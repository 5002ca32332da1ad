// Evaluates requests against policies, as IAM does. Reads a JSON array of
// simulations from standard input and writes an array of results:
// {"allowed": true} or {"allowed": false}, or {"error": "…"} for one that
// can't be trusted.
import { text } from 'node:stream/consumers'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const from = createRequire(process.argv[2] + '/')
const { runSimulation } = await import(pathToFileURL(from.resolve('@cloud-copilot/iam-simulate')))

const results = []
for (const simulation of JSON.parse(await text(process.stdin))) {
  const answer = await runSimulation(simulation, {})
  if (answer.resultType !== 'single') {
    results.push({ error: JSON.stringify(answer.errors ?? answer.resultType) })
    continue
  }
  // A context key that it does not know for the action is dropped, and a condition
  // on it decides nothing.
  const ignored = answer.result.ignoredContextKeys ?? []
  results.push(ignored.length > 0 ? { error: 'ignores ' + ignored } : { allowed: answer.overallResult === 'Allowed' })
}
process.stdout.write(JSON.stringify(results))
