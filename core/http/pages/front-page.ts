import type { CloudView, PluginView, SiteView } from '../../operations/index.ts'

/** The site as a page for browsers; works without script, in light and dark, and on a telephone. */
export function renderFrontPage(site: SiteView): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(site.id)} · Fogbow</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/pages/page.css">
</head>
<body>
<header>
<p class="eyebrow">Fogbow site</p>
<h1>${escapeHtml(site.id)}</h1>
<p class="facts">Version ${escapeHtml(site.version)} · up since <time datetime="${escapeHtml(site.startedAt)}">${escapeHtml(readableTime(site.startedAt))}</time></p>
<nav aria-label="References"><a href="/login">Log in</a><a href="/docs">API reference</a><a href="/openapi.json">OpenAPI document</a><a href="/readyz">Readiness</a></nav>
</header>
<main>
${section('Clouds', site.clouds.map(renderCloud), 'No cloud is configured.')}
${section('Plugins', site.plugins.map(renderPlugin), 'No plugin is loaded.')}
${section('Members', site.members.map(renderMember(site.id)), 'No member is known.')}
</main>
</body>
</html>
`
}

function section(title: string, items: readonly string[], none: string): string {
  const id = title.toLowerCase()
  const count = `<span class="count">${items.length}</span>`
  const list = items.length > 0 ? `<ul class="cards">${items.join('\n')}</ul>` : `<p>${none}</p>`
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title} ${count}</h2>${list}</section>`
}

function renderCloud(cloud: CloudView): string {
  const plugins = Object.entries(cloud.plugins).map(
    ([kind, name]) => `<dt>${escapeHtml(kind)}</dt><dd>${escapeHtml(name)}</dd>`,
  )
  const mark = cloud.isDefault ? ' <span class="tag">default</span>' : ''
  return `<li><h3>${escapeHtml(cloud.name)}${mark} ${health(cloud.health)}</h3><dl>${plugins.join('')}</dl></li>`
}

function renderPlugin(plugin: PluginView): string {
  const reason = plugin.reason ? `<p class="reason">${escapeHtml(plugin.reason)}</p>` : ''
  return `<li><h3>${escapeHtml(plugin.name)} ${health(plugin.state)}</h3>${reason}<dl>
<dt>Package</dt><dd>${escapeHtml(plugin.package)} ${escapeHtml(plugin.version)}</dd>
<dt>Offers</dt><dd>${escapeHtml(plugin.kinds.join(', '))}</dd>
<dt>Runs in</dt><dd>${escapeHtml(plugin.isolation)}</dd></dl></li>`
}

function renderMember(local: string): (member: string) => string {
  return (member) => {
    const mark = member === local ? ' <span class="tag">this site</span>' : ''
    return `<li class="line">${escapeHtml(member)}${mark}</li>`
  }
}

/** The word itself says it; colour only helps. */
function health(state: string): string {
  const tone = state === 'ready' ? 'good' : state === 'starting' ? 'wait' : 'bad'
  return `<span class="health ${tone}">${escapeHtml(state)}</span>`
}

function readableTime(timestamp: string): string {
  return timestamp.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return String(text).replace(/[&<>"']/g, (character) => escapes[character] ?? character)
}
