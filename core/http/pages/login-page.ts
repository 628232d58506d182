import { STATUS_CODES } from 'node:http'
import type { FogbowError } from '@fogbow/plugin-sdk'
import type { Operations } from '../../operations/index.ts'
import { escapeHtml } from './front-page.ts'

type Choices = ReturnType<Operations['loginSources']>

export interface Place {
  siteId: string
  /** A login must begin where it ends, for the cookie: whatever name of the site this page was found under. */
  publicUrl: string
}

/** Where people log in with a browser, and see what they have. */
export function renderLoginPage(
  { siteId, publicUrl }: Place,
  { sources, passwords }: Choices,
): string {
  const links = sources.map(
    ({ name }) =>
      `<li><a class="choice" href="${loginUrl(publicUrl, name)}">Log in with ${escapeHtml(name)}</a></li>`,
  )
  const content = `<main>
<p id="notice" class="reason" role="alert" hidden></p>
<section id="choices" aria-labelledby="ways">
<h2 id="ways">Log in</h2>
${links.length > 0 ? `<ul class="choices">${links.join('\n')}</ul>` : ''}
${passwords ? passwordForm : ''}
<noscript><p>Logging in here needs JavaScript; <code>fogbow login</code> does without.</p></noscript>
</section>
<section id="account" aria-labelledby="name" hidden>
<h2 id="name"></h2>
<dl id="facts"></dl>
<p class="bar"><button id="copy" type="button">Copy token</button><button id="log-out" type="button">Log out</button><a href="/docs">API reference</a></p>
<h2>Computes <span id="count" class="count"></span></h2>
<p id="none" hidden>You have no computes here.</p>
<div class="scroll"><table id="computes"><tbody></tbody></table></div>
<p class="bar"><button id="refresh" type="button">Look again</button></p>
</section>
</main>`
  return page(siteId, 'Log in', content, '<script type="module" src="/login/login.js"></script>')
}

const passwordForm = `<form id="password" class="bar">
<label>User name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>
</form>`

/** What somebody sees whose login did not succeed. */
export function renderLoginError(
  { siteId, publicUrl }: Place,
  error: FogbowError,
  { source, requestId }: { source: string; requestId: string },
): string {
  const content = `<main>
<section aria-labelledby="problem">
<h2 id="problem">You are not logged in</h2>
<p class="reason">${escapeHtml(sentence(error.message))}</p>
<p class="bar"><a class="choice" href="${loginUrl(publicUrl, source)}">Try again with ${escapeHtml(source)}</a><a href="${escapeHtml(publicUrl)}/login">Other ways to log in</a></p>
<p class="facts">${error.status} ${escapeHtml(STATUS_CODES[error.status] ?? '')} · request ${escapeHtml(requestId)}, in case you ask the administrator of the site</p>
</section>
</main>`
  return page(siteId, 'You are not logged in', content, '')
}

function loginUrl(publicUrl: string, source: string): string {
  return escapeHtml(`${publicUrl}/as/login/${encodeURIComponent(source)}`)
}

function page(siteId: string, title: string, content: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · ${escapeHtml(siteId)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/pages/page.css">
<link rel="stylesheet" href="/docs/docs.css">
<link rel="stylesheet" href="/login/login.css">
${script}
</head>
<body>
<header>
<p class="eyebrow"><a href="/">Fogbow site</a></p>
<h1>${escapeHtml(siteId)}</h1>
</header>
${content}
</body>
</html>
`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
