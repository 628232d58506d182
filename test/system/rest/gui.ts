import assert from 'node:assert/strict'
import { Client } from '../support/client.ts'

/** Where the pages of the web GUI come from: never the site itself. */
const ORIGIN = 'https://gui.example'
const JSON_TYPE = 'application/json;charset=UTF-8'
const POLL_MS = 20
const PATIENCE_MS = 30_000

export interface Row {
  instanceId: string
  instanceName: string
  provider: string
  cloudName: string
  state: string
}

/**
 * The web GUI as seen on the wire: each call as its browser makes it, with the preflight that the browser sends before,
 * and the checks with which a browser withholds an answer from a page.
 */
export class Gui {
  readonly calls: string[] = []
  readonly #client: Client
  token = ''

  constructor(url: string) {
    this.#client = new Client(url)
  }

  /** Calls with the token of the user. @throws AssertionError when the browser would not show the answer */
  get = (path: string) => this.#call('GET', path, true)
  post = (path: string, body: unknown) => this.#call('POST', path, true, body)
  delete = (path: string) => this.#call('DELETE', path, true)
  /** Calls of pages that nobody needs to be logged in for. */
  getOpenly = (path: string) => this.#call('GET', path, false)
  postOpenly = (path: string, body: unknown) => this.#call('POST', path, false, body)

  async signIn(username: string, password: string): Promise<void> {
    const { body } = await this.getOpenly('/fns/publicKey')
    const { publicKey } = body as { publicKey: string }
    const credentials = { username, password, domain: '' }
    const answer = await this.postOpenly('/as/tokens', { credentials, publicKey })
    assert.equal(answer.status, 201)
    this.token = (answer.body as { token: string }).token
  }

  /** Makes an order; answers its id. */
  async order(path: string, body: unknown): Promise<string> {
    const answer = await this.post(path, body)
    assert.equal(answer.status, 201, `POST ${path}: ${JSON.stringify(answer.body)}`)
    const { id } = answer.body as { id: string }
    assert.equal(typeof id, 'string')
    return id
  }

  async details(path: string): Promise<Record<string, unknown>> {
    const answer = await this.get(path)
    assert.equal(answer.status, 200, `GET ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body as Record<string, unknown>
  }

  /** The table of a page. */
  async rows(path: string): Promise<Row[]> {
    const answer = await this.get(`${path}/status`)
    assert.equal(answer.status, 200)
    return answer.body as Row[]
  }

  /** Looks at the table, as the page does again and again, until the row is in that state. */
  async untilRow(path: string, id: string, state: string): Promise<Row> {
    const giveUpAt = Date.now() + PATIENCE_MS
    for (;;) {
      const row = (await this.rows(path)).find(({ instanceId }) => instanceId === id)
      if (row?.state === state) return row
      if (Date.now() > giveUpAt) throw new Error(`${path} ${id} stays ${row?.state}, not ${state}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** Terminates, and looks at the table until the row is gone. */
  async terminate(path: string, id: string): Promise<void> {
    const answer = await this.delete(`${path}/${id}`)
    assert.ok(answer.status >= 200 && answer.status < 300, JSON.stringify(answer.body))
    const giveUpAt = Date.now() + PATIENCE_MS
    while ((await this.rows(path)).some(({ instanceId }) => instanceId === id)) {
      if (Date.now() > giveUpAt) throw new Error(`${path} ${id} does not go away`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async #call(method: string, path: string, withToken: boolean, body?: unknown) {
    const special = [
      ...(body === undefined ? [] : ['content-type']),
      ...(withToken ? ['fogbow-user-token'] : []),
    ]
    if (special.length > 0) await this.#preflight(method, path, special.join(','))
    this.calls.push(`${method} ${path}`)
    const answer = await this.#client.call(method, path, body, {
      token: withToken ? this.token : null,
      headers: {
        Origin: ORIGIN,
        Accept: 'application/json, text/plain, */*',
        ...(body !== undefined && { 'Content-Type': JSON_TYPE }),
      },
    })
    assertShownTo(ORIGIN, answer.headers, `${method} ${path}`)
    return answer
  }

  async #preflight(method: string, path: string, headers: string): Promise<void> {
    const answer = await this.#client.call('OPTIONS', path, undefined, {
      token: null,
      headers: {
        Origin: ORIGIN,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': headers,
      },
    })
    const what = `preflight of ${method} ${path}`
    assert.equal(answer.status, 200, what)
    assert.equal(answer.body, undefined, what)
    assertShownTo(ORIGIN, answer.headers, what)
    assert.ok(namesIn(answer.headers, 'access-control-allow-methods').has(method.toLowerCase()))
    const allowed = namesIn(answer.headers, 'access-control-allow-headers')
    for (const header of headers.split(',')) assert.ok(allowed.has(header), `${what}: ${header}`)
  }
}

function assertShownTo(origin: string, headers: Headers, what: string): void {
  const allowed = headers.get('access-control-allow-origin')
  assert.ok(allowed === '*' || allowed === origin, `${what} is not shown to ${origin}`)
}

function namesIn(headers: Headers, name: string): Set<string> {
  const text = headers.get(name) ?? ''
  return new Set(text.split(',').map((part) => part.trim().toLowerCase()))
}
