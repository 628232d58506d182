// Renders /openapi.json. Everything is set as text, so that nothing in the document can become markup.

const api = await (await fetch('/openapi.json')).json()
const tokenInput = document.querySelector('#log-in [name=token]')
// Left by the log-in page of this site, in the same tab.
tokenInput.value = sessionStorage.getItem('fogbow-token') ?? ''

/** Makes an element; children are elements or texts, absent ones are left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value)
  }
  element.append(...children.filter((child) => child !== undefined && child !== ''))
  return element
}

/** Text in which `code` is marked by back-quotes. */
function prose(text) {
  return text.split('`').map((part, index) => (index % 2 ? make('code', {}, part) : part))
}

function resolve(schema) {
  if (!schema?.$ref) return schema ?? {}
  const name = schema.$ref.split('/').at(-1)
  return { name, ...api.components.schemas[name] }
}

function typeOf(schema) {
  const { type, items, name, anyOf, enum: values } = resolve(schema)
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (items) return `list of ${typeOf(items)}`
  return name ?? [type ?? 'anything'].flat().join(' or ')
}

function limitsOf(schema) {
  const words = []
  if (schema.minimum !== undefined) words.push(`≥ ${schema.minimum}`)
  if (schema.maximum !== undefined) words.push(`≤ ${schema.maximum}`)
  if (schema.maxLength !== undefined) words.push(`at most ${schema.maxLength} characters`)
  if (schema.maxItems !== undefined) words.push(`at most ${schema.maxItems} items`)
  if (schema.default !== undefined) words.push(`default ${JSON.stringify(schema.default)}`)
  return words.join(', ')
}

function fieldTable(schema) {
  const { properties, required = [], items, anyOf } = resolve(schema)
  if (items) return fieldTable(items)
  if (anyOf) return make('div', {}, ...anyOf.map(fieldTable).filter(Boolean))
  if (!properties) return undefined
  const rows = Object.entries(properties).map(([name, property]) => {
    const field = resolve(property)
    const text = [field.description, limitsOf(field)].filter(Boolean).join('; ')
    const nested = field.properties || field.items ? fieldTable(field) : undefined
    return make(
      'tr',
      field.deprecated ? { class: 'deprecated' } : {},
      make('td', {}, make('code', {}, name), required.includes(name) ? ' *' : ''),
      make('td', {}, typeOf(property)),
      make('td', {}, ...prose(text), nested ?? ''),
    )
  })
  return make('div', { class: 'scroll' }, make('table', {}, make('tbody', {}, ...rows)))
}

function jsonOf(content) {
  return content?.['application/json']
}

function curlOf(operation, method, path) {
  const parts = [`curl -X ${method.toUpperCase()} '${location.origin}${path}'`]
  if (operation.security.length > 0) parts.push(`-H "Fogbow-User-Token: $TOKEN"`)
  const body = jsonOf(operation.requestBody?.content)
  if (body) {
    parts.push(`-H 'Content-Type: application/json'`)
    parts.push(`-d '${JSON.stringify(body.example).replaceAll("'", "'\\''")}'`)
  }
  return parts.join(' \\\n  ')
}

function parameterFields(parameters) {
  return parameters.map((parameter) => {
    const input = make('input', {
      name: parameter.name,
      'data-in': parameter.in,
      autocomplete: 'off',
    })
    const about = parameter.description ?? ''
    const label = make(
      'label',
      {},
      make('span', {}, make('code', {}, parameter.name), ` ${parameter.in}`),
      input,
    )
    return make('div', { class: 'parameter' }, label, make('p', {}, ...prose(about)))
  })
}

/** The request that a form describes. */
function requestOf(form, operation, method, path) {
  const headers = {}
  const query = new URLSearchParams()
  let url = path
  for (const { name, value, dataset } of form.querySelectorAll('input[data-in]')) {
    if (dataset.in === 'path') url = url.replace(`{${name}}`, encodeURIComponent(value))
    else if (value !== '' && dataset.in === 'query') query.set(name, value)
    else if (value !== '') headers[name] = value
  }
  if (operation.security.length > 0 && tokenInput.value) {
    headers['Fogbow-User-Token'] = tokenInput.value
  }
  const body = form.querySelector('textarea')?.value
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const search = query.size > 0 ? `?${query}` : ''
  return [
    url + search,
    { method: method.toUpperCase(), headers, ...(body !== undefined && { body }) },
  ]
}

async function answerText(url, options) {
  const startedAt = performance.now()
  const response = await fetch(url, options)
  const text = await response.text()
  const ms = Math.round(performance.now() - startedAt)
  const shown = text === '' ? '(empty)' : indented(text)
  return `${response.status} ${response.statusText}, ${ms} ms\n\n${shown}`
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function tryForm(operation, method, path) {
  const body = jsonOf(operation.requestBody?.content)
  const result = make('pre', { class: 'result', hidden: '', tabindex: '0', 'aria-live': 'polite' })
  const example = JSON.stringify(body?.example, null, 2) ?? ''
  const rows = String(Math.min(16, example.split('\n').length))
  const form = make(
    'form',
    { class: 'try' },
    ...parameterFields(operation.parameters),
    body
      ? make(
          'label',
          {},
          make('span', {}, 'Body'),
          make('textarea', { rows, spellcheck: 'false' }, example),
        )
      : '',
    make('button', {}, `Send ${method.toUpperCase()}`),
    result,
  )
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    result.hidden = false
    result.textContent = '…'
    result.textContent = await answerText(...requestOf(form, operation, method, path)).catch(String)
  })
  return form
}

function responseParts(responses) {
  return Object.entries(responses).map(([status, { description, content }]) => {
    const json = jsonOf(content)
    const isError = Number(status) >= 400
    const type = json && !isError ? make('span', { class: 'type' }, ` ${typeOf(json.schema)}`) : ''
    const head = make(
      'p',
      {},
      make('strong', { class: isError ? 'bad' : 'good' }, status),
      ' ',
      ...prose(description),
      type,
    )
    if (!json || isError) return head
    const example = make('pre', { tabindex: '0' }, JSON.stringify(json.example, null, 2))
    return make('div', {}, head, fieldTable(json.schema) ?? '', example)
  })
}

function renderDetails(operation, method, path) {
  const body = jsonOf(operation.requestBody?.content)
  return [
    body ? make('h4', {}, `Body: ${typeOf(body.schema)}`) : '',
    (body && fieldTable(body.schema)) ?? '',
    make('h4', {}, 'Answers'),
    ...responseParts(operation.responses),
    make('h4', {}, 'With curl'),
    make('pre', { tabindex: '0' }, curlOf(operation, method, path)),
    make('h4', {}, 'Try it'),
    tryForm(operation, method, path),
  ]
}

/** Details are made when they are opened: the whole reference at once would be slow on a telephone. */
function renderOperation(path, method, operation) {
  const lock = operation.security.length > 0 ? make('span', { class: 'tag' }, 'token') : ''
  const details = make(
    'details',
    { id: operation.operationId, class: 'operation' },
    make(
      'summary',
      {},
      make('span', { class: `method ${method}` }, method.toUpperCase()),
      make('code', {}, path),
      make('span', { class: 'about' }, operation.summary),
      lock,
    ),
  )
  details.addEventListener(
    'toggle',
    () =>
      details.append(make('div', { class: 'inside' }, ...renderDetails(operation, method, path))),
    { once: true },
  )
  details.dataset.words =
    `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase()
  return details
}

function renderGroup(tag) {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag.name))
      .map(([method, operation]) => renderOperation(path, method, operation)),
  )
  return make('section', {}, make('h2', {}, tag.name), ...operations)
}

function applyFilter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  for (const section of document.querySelectorAll('#operations section')) {
    let shown = 0
    for (const entry of section.querySelectorAll('details.operation')) {
      entry.hidden = !words.every((word) => entry.dataset.words.includes(word))
      if (!entry.hidden) shown++
    }
    section.hidden = shown === 0
  }
}

async function logIn(event) {
  event.preventDefault()
  const { username, password } = Object.fromEntries(new FormData(event.target))
  const result = document.querySelector('#log-in-result')
  const response = await fetch('/as/tokens', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ credentials: { username, password } }),
  })
  const answer = await response.json()
  if (response.ok) tokenInput.value = answer.token
  result.textContent = response.ok ? `Logged in as ${username}` : answer.message
}

document.title = `${api.info.title} · API reference`
document.querySelector('#title').textContent = `${api.info.title}: API reference`
document
  .querySelector('#description')
  .append(...api.info.description.split('\n\n').map((text) => make('p', {}, ...prose(text))))
document.querySelector('#operations').replaceChildren(...api.tags.map(renderGroup))
document.querySelector('#log-in').addEventListener('submit', logIn)
document
  .querySelector('#filter')
  .addEventListener('input', (event) => applyFilter(event.target.value))
const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)))
if (linked instanceof HTMLDetailsElement) {
  linked.open = true
  linked.scrollIntoView()
}
