import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorPage } from './error-page.ts'
import { MetadataError, NotReady } from './errors.ts'
import { Headers } from './messages.ts'

class Failure extends MetadataError {
  readonly status: number
  readonly code = 'failure'
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const missing = new Failure(404, 'The resource could not be found.')

function page(cause: unknown, accept?: string, method = 'GET') {
  const reply = errorPage(cause, { method, headers: Headers.of(accept === undefined ? [] : [['Accept', accept]]) })
  return { ...reply, body: Buffer.from(reply.body).toString(), type: reply.headers[0]?.[1] }
}

const HTML = 'text/html; charset=UTF-8'
const JSON_TYPE = 'application/json'
const TEXT = 'text/plain; charset=UTF-8'

const accepts: readonly { readonly accept: string | undefined; readonly want: string }[] = [
  { accept: undefined, want: TEXT },
  { accept: '', want: TEXT },
  { accept: 'text/plain', want: TEXT },
  { accept: 'text/html;level=1', want: TEXT },
  { accept: '*/*;q=0', want: TEXT },
  { accept: '*/html', want: TEXT },
  { accept: '*/*', want: HTML },
  { accept: 'text/*', want: HTML },
  { accept: 'TEXT/HTML', want: HTML },
  { accept: 'application/json, text/html', want: HTML },
  { accept: 'application/json;q=0.5, */*;q=0.5', want: HTML },
  { accept: 'application/json', want: JSON_TYPE },
  { accept: 'application/*', want: JSON_TYPE },
  { accept: 'text/html;q=0.4, application/json', want: JSON_TYPE },
  { accept: 'text/html; Q=0, */*', want: JSON_TYPE },
  { accept: 'text/xml;a="b,c" , application/json;q=0.2;ext=1', want: JSON_TYPE },
  { accept: 'nonsense', want: HTML },
  { accept: 'application/json;q=1.5', want: HTML },
  { accept: ',application/json', want: HTML },
  { accept: 'application/json,', want: JSON_TYPE },
]

for (const { accept, want } of accepts) {
  test(`Accept: ${accept}`, () => assert.equal(page(missing, accept).type, want))
}

const pages: readonly { readonly accept: string; readonly length: number; readonly body: string }[] = [
  { accept: 'text/plain', length: 52, body: '404 Not Found\n\nThe resource could not be found.\n\n   ' },
  {
    accept: 'text/html',
    length: 154,
    body:
      '<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n' +
      '  The resource could not be found.<br /><br />\n\n\n\n </body>\n</html>',
  },
  {
    accept: 'application/json',
    length: 112,
    body: '{"message": "The resource could not be found.<br /><br />\\n\\n\\n", "code": "404 Not Found", "title": "Not Found"}',
  },
]

for (const { accept, length, body } of pages) {
  test(`the page for ${accept}`, () => {
    assert.equal(page(missing, accept).body, body)
    assert.equal(body.length, length)
  })
}

test('text from the request cannot become markup', () => {
  const cause = new Failure(400, `<b>"'é&</b>`)
  assert.match(page(cause, '*/*').body, /^ {2}&lt;b&gt;&quot;&#x27;&#233;&amp;&lt;\/b&gt;<br \/>/m)
  assert.equal(page(cause).body, `400 Bad Request\n\n"'é&\n\n   `)
})

test('whatever is not ours becomes a 500 that says nothing', () => {
  const reply = page(new Error('secret path /etc/shadow'), '*/*')
  assert.equal(reply.status, 500)
  assert.equal(reply.body.length, 207)
  assert.doesNotMatch(reply.body, /shadow/)
})

test('header fields of the error are sent', () => {
  assert.deepEqual(page(new NotReady()).headers, [
    ['Content-Type', TEXT],
    ['Retry-After', '1'],
  ])
})

test('a HEAD gets the type of HTML and no bytes, whatever it accepts', () => {
  const { status, headers, body } = page(missing, 'application/json', 'HEAD')
  const want = [
    ['Content-Type', HTML],
    ['Content-Length', '0'],
  ]
  assert.deepEqual({ status, headers, body }, { status: 404, headers: want, body: '' })
})
