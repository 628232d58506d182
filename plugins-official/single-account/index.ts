import { definePlugin, FogbowError, type LocalToken } from '@fogbow/plugin-sdk'

interface Config {
  account?: Record<string, unknown>
  withoutCredentials?: boolean
  field?: string
}

/** Whoever asks gets the one account that the site has in a cloud. */
export default definePlugin<Config>({
  create({ config, secrets }) {
    const { account = {}, withoutCredentials = false, field = 'credential' } = config
    return {
      federationToLocalMapper: {
        async getToken() {
          if (withoutCredentials) return { ...account }
          return { ...account, ...toFields(await secrets.get('credentials'), field) }
        },
      },
    }
  },
})

/** The text of a JSON object gives its fields; any other text is one field. */
function toFields(text: string, field: string): LocalToken {
  if (!text.trimStart().startsWith('{')) return { [field]: text.trim() }
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which is secret.
    throw new FogbowError(
      'configuration_error',
      "secret 'credentials' of single-account: starts with { but is not the text of a JSON object",
    )
  }
}
