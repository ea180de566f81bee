import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

// The least that node:http can do for an answer: look a path up and hand over head and body in one piece.
// `bare-node.ts --address A --port P PATH TYPE FILE [PATH TYPE FILE]...`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { address: { type: 'string' }, port: { type: 'string' } },
})
const answers = new Map<string, { readonly fields: readonly string[]; readonly body: string }>()
for (let i = 0; i + 2 < positionals.length; i += 3) {
  const [path, contentType, file] = positionals.slice(i, i + 3) as [string, string, string]
  const body = readFileSync(file, 'latin1')
  answers.set(path, { body, fields: ['Content-Length', `${body.length}`, 'Content-Type', contentType] })
}
createServer((request, response) => {
  const { fields, body } = answers.get(request.url ?? '') ?? { fields: ['Content-Length', '0'], body: '' }
  response.writeHead(200, fields as string[]).end(body, 'latin1')
}).listen(Number(values.port), values.address)
