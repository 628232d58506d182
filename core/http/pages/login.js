// Everything is set as text, so that nothing that a site or a provider says can become markup.

const TOKEN_KEY = 'fogbow-token'
const SOURCE_KEY = 'fogbow-login-source'
const byId = (id) => document.getElementById(id)

/** @throws Error with the site's own words */
async function ask(method, path, body) {
  const token = sessionStorage.getItem(TOKEN_KEY)
  const response = await fetch(path, {
    method,
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { 'Fogbow-User-Token': token }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer = text === '' ? undefined : JSON.parse(text)
  if (response.ok) return answer
  if (response.status === 401) forget()
  throw new Error(answer?.message ?? `The site answered with ${response.status}`)
}

function forget() {
  sessionStorage.removeItem(TOKEN_KEY)
}

function tell(error) {
  byId('notice').textContent = error.message
  byId('notice').hidden = false
}

/** Runs what a click asked for; what goes wrong is told. */
function attempt(run) {
  return async (event) => {
    event?.preventDefault()
    byId('notice').hidden = true
    try {
      await run(event)
    } catch (error) {
      tell(error)
      if (!sessionStorage.getItem(TOKEN_KEY)) showChoices()
    }
  }
}

async function logIn(credentials) {
  forget()
  const { token } = await ask('POST', '/as/tokens', { credentials })
  sessionStorage.setItem(TOKEN_KEY, token)
}

/** The ticket stands behind the hash, which no server sees, and is taken out of the history before it is used. */
async function fetchToken() {
  const parameters = new URLSearchParams(location.hash.slice(1))
  const ticket = parameters.get('ticket')
  if (!ticket) return
  history.replaceState(null, '', location.pathname)
  sessionStorage.setItem(SOURCE_KEY, parameters.get('source') ?? '')
  await logIn({ loginTicket: ticket })
}

function showChoices() {
  byId('choices').hidden = false
  byId('account').hidden = true
}

function row(kind, ...texts) {
  const line = document.createElement('tr')
  for (const text of texts) {
    const cell = document.createElement(kind)
    cell.textContent = text
    line.append(cell)
  }
  return line
}

function fact(name, value) {
  const term = document.createElement('dt')
  const text = document.createElement('dd')
  term.textContent = name
  text.textContent = value
  return [term, text]
}

async function showAccount() {
  const user = await ask('GET', '/as/user')
  byId('name').textContent = `You are ${user.name}`
  byId('facts').replaceChildren(
    ...fact('Id', user.id),
    ...fact('Identity provider', user.identityProviderId),
    ...fact('Roles', user.roles.join(', ') || 'none'),
    ...fact('Logged in until', new Date(user.expiresAt).toLocaleString()),
  )
  byId('choices').hidden = true
  byId('account').hidden = false
  await showComputes()
}

async function showComputes() {
  const computes = await ask('GET', '/ras/computes/status')
  byId('count').textContent = String(computes.length)
  byId('none').hidden = computes.length > 0
  const rows = computes.map((each) =>
    row('td', each.instanceName, each.state, each.provider, each.cloudName),
  )
  const head = rows.length > 0 ? [row('th', 'Name', 'State', 'Site', 'Cloud')] : []
  byId('computes').tBodies[0].replaceChildren(...head, ...rows)
}

async function logOut() {
  const source = sessionStorage.getItem(SOURCE_KEY)
  await ask('DELETE', '/as/tokens')
  forget()
  sessionStorage.removeItem(SOURCE_KEY)
  if (source) location.assign(`/as/login/${encodeURIComponent(source)}/logout`)
  else showChoices()
}

byId('refresh').addEventListener('click', attempt(showComputes))
byId('log-out').addEventListener('click', attempt(logOut))
byId('copy').addEventListener(
  'click',
  attempt(() => navigator.clipboard.writeText(sessionStorage.getItem(TOKEN_KEY))),
)
byId('password')?.addEventListener(
  'submit',
  attempt(async (event) => {
    const fields = Object.fromEntries(new FormData(event.target))
    event.target.reset()
    sessionStorage.removeItem(SOURCE_KEY)
    await logIn(fields)
    await showAccount()
  }),
)
await attempt(async () => {
  await fetchToken()
  if (sessionStorage.getItem(TOKEN_KEY)) await showAccount()
})()
