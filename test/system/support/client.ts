export interface Answer {
  status: number
  headers: Headers
  /** Parsed when it is JSON, text otherwise, undefined when empty. */
  body: unknown
}

interface CallOptions {
  headers?: Record<string, string>
  /** Sent as it is. */
  text?: string
  token?: string | null
}

const POLL_MS = 20
const PATIENCE_MS = 30_000

/** Talks to a site as any client does. */
export class Client {
  readonly url: string
  token: string | undefined

  constructor(url: string) {
    this.url = url
  }

  async login(username: string, password: string): Promise<string> {
    const answer = await this.post('/as/tokens', {
      credentials: { username, password },
      publicKey: '',
    })
    if (answer.status !== 201)
      throw new Error(`login of ${username}: ${answer.status} ${JSON.stringify(answer.body)}`)
    this.token = (answer.body as { token: string }).token
    return this.token
  }

  get = (path: string, options?: CallOptions) => this.call('GET', path, undefined, options)
  post = (path: string, body?: unknown, options?: CallOptions) =>
    this.call('POST', path, body, options)
  put = (path: string, body?: unknown, options?: CallOptions) =>
    this.call('PUT', path, body, options)
  delete = (path: string, options?: CallOptions) => this.call('DELETE', path, undefined, options)

  async call(
    method: string,
    path: string,
    body?: unknown,
    options: CallOptions = {},
  ): Promise<Answer> {
    const token = options.token === undefined ? this.token : options.token
    const text = options.text ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(token && { 'Fogbow-User-Token': token }),
        ...(text !== undefined && { 'Content-Type': 'application/json;charset=UTF-8' }),
        ...options.headers,
      },
      ...(text !== undefined && { body: text }),
    })
    return { status: response.status, headers: response.headers, body: await readBody(response) }
  }

  /** Makes an order and answers its id. */
  async create(path: string, body: unknown): Promise<string> {
    const answer = await this.post(path, body)
    if (answer.status !== 201)
      throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return (answer.body as { id: string }).id
  }

  /** Reads an instance until it is in one of the states; answers it. `GONE` stands for 404. */
  async until(path: string, ...states: string[]): Promise<Record<string, unknown>> {
    const give = Date.now() + PATIENCE_MS
    for (;;) {
      const answer = await this.get(path)
      const state = answer.status === 404 ? 'GONE' : (answer.body as { state?: string }).state
      if (answer.status < 500 && states.includes(state ?? ''))
        return (answer.body ?? {}) as Record<string, unknown>
      if (Date.now() > give)
        throw new Error(`${path} stays ${state}, not ${states}: ${JSON.stringify(answer.body)}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
}
