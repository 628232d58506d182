import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { NpmOptions } from './tarball.ts'

/** What of npm's settings says where packages come from and who may have them. */
const KNOWN =
  /^(registry|cafile|ca|proxy|https-proxy|noproxy|strict-ssl|@[^:]+:registry|\/\/.+:(_authToken|_auth|username|_password|certfile|keyfile))$/

/**
 * Reads registries and credentials as npm has them: the global file, that of the user, then `npm_config_*` of the
 * environment, each going before the last.
 * @param env - of the process
 */
export async function readNpmrc(env: NodeJS.ProcessEnv): Promise<NpmOptions> {
  const prefix = env.npm_config_prefix ?? env.PREFIX ?? '/usr'
  const files = [
    env.npm_config_globalconfig ?? join(prefix, 'etc/npmrc'),
    env.npm_config_userconfig ?? join(env.HOME ?? homedir(), '.npmrc'),
  ]
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
  const entries = [...texts.flatMap((text) => entriesOf(text, env)), ...ofEnvironment(env)]
  return Object.fromEntries(entries.filter(([key]) => KNOWN.test(key)).map(toOption))
}

/** Lines `key=value`; `${NAME}` stands for a variable of the environment (npm's `npmrc`). */
function entriesOf(text: string, env: NodeJS.ProcessEnv): [string, string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const at = line.indexOf('=')
    if (at === -1 || /^\s*[;#]/.test(line)) return []
    const value = line
      .slice(at + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, '$2')
    const expanded = value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole)
    return [[line.slice(0, at).trim(), expanded]]
  })
}

function ofEnvironment(env: NodeJS.ProcessEnv): [string, string][] {
  return Object.entries(env).flatMap(([name, value]): [string, string][] => {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1]
    if (key === undefined || !value) return []
    // Addresses keep their own spelling, all other names are written with hyphens.
    return [[/^[/@]/.test(key) ? key : key.toLowerCase().replaceAll('_', '-'), value]]
  })
}

/** As npm's client calls them. */
function toOption([key, value]: [string, string]): [string, unknown] {
  if (key === 'strict-ssl') return ['strictSSL', value !== 'false']
  if (key === 'https-proxy') return ['httpsProxy', value]
  if (key === 'noproxy') return ['noProxy', value]
  return [key, value]
}
