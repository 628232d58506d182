/** A browser without a screen: keeps cookies, follows redirects, and fills in the provider's forms. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>()
  /** Everything that was visited, in order. */
  readonly visited: string[] = []

  /** As it sends them. */
  cookies(hostname: string): string {
    return [...(this.#cookies.get(hostname) ?? [])].map((pair) => pair.join('=')).join('; ')
  }

  /** One request; no redirect is followed. */
  async request(url: string, form?: Record<string, string>): Promise<Response> {
    this.visited.push(url)
    const { hostname } = new URL(url)
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: this.cookies(hostname),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form && { body: String(new URLSearchParams(form)) }),
    })
    this.#keep(hostname, response.headers.getSetCookie())
    return response
  }

  /**
   * Goes on from redirect to redirect and from form to form, until a page has none.
   * @param fields - what is typed into forms
   * @param until - the first address that is not visited any more
   */
  async visit(
    url: string,
    fields: Record<string, string> = {},
    until: (url: string) => boolean = () => false,
  ): Promise<{ url: string; status: number; text: string }> {
    let form: Record<string, string> | undefined
    let address = url
    for (let steps = 0; steps < 30; steps += 1) {
      if (until(address)) return { url: address, status: 0, text: '' }
      const response = await this.request(address, form)
      const text = await response.text()
      const location = response.headers.get('location')
      const next = location ? undefined : formIn(text)
      if (!location && !next) return { url: address, status: response.status, text }
      form = next && { ...next.values, ...typed(next, fields) }
      address = new URL(location ?? next?.action ?? '', address).href
    }
    throw new Error(`the way from ${url} does not end: ${this.visited.join(' ')}`)
  }

  /** Follows the way of a device's code to the question whether it is the right device, and says no. */
  async refuseDevice(url: string): Promise<void> {
    const shown = await this.request(url)
    const first = formIn(await shown.text())
    const confirmation = await this.request(first?.action ?? '', first?.values)
    const second = formIn(await confirmation.text())
    await this.request(second?.action ?? '', { ...second?.values, abort: 'yes' })
  }

  #keep(hostname: string, lines: readonly string[]): void {
    const cookies = this.#cookies.get(hostname) ?? new Map<string, string>()
    this.#cookies.set(hostname, cookies)
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
  }
}

interface Form {
  action: string
  values: Record<string, string>
  names: string[]
}

/** The provider's pages, in which the first form is the one that goes on. */
function formIn(html: string): Form | undefined {
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(html)
  if (!form) return undefined
  const inputs = [...(form[2] ?? '').matchAll(/<input\b[^>]*>/g)].map(([input]) => ({
    name: /\bname="([^"]*)"/.exec(input)?.[1] ?? '',
    value: /\bvalue="([^"]*)"/.exec(input)?.[1],
  }))
  const given = inputs.filter((input) => input.value !== undefined)
  return {
    action: (form[1] ?? '').replaceAll('&amp;', '&'),
    values: Object.fromEntries(given.map(({ name, value }) => [name, value ?? ''])),
    names: inputs.map(({ name }) => name),
  }
}

function typed({ names }: Form, fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)))
}
