import { FogbowError } from '@fogbow/plugin-sdk'

/** What is asked of the site that runs the plugin, as its administrator. */
export interface SiteApi {
  /**
   * Puts what is in the folder now in the place of what runs.
   * @throws FogbowError that says why the site refuses it; what ran goes on
   */
  install(folder: string): Promise<void>
}

interface Login {
  url: string
  credentials: Record<string, string>
}

interface PlanAnswer {
  id: string
  needsAcceptance: string[]
  refusals: string[]
}

const ANSWER_TIMEOUT_MS = 120_000

export function createSiteApi(login: Login): SiteApi {
  let token: Promise<string> | undefined

  async function send<Answer>(path: string, body: unknown, header?: string): Promise<Answer> {
    const response = await fetch(new URL(path, login.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(header !== undefined && { 'fogbow-user-token': header }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    const text = await response.text()
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer
    throw new FogbowError('unacceptable_operation', messageOf(text))
  }

  async function logIn(): Promise<string> {
    const { token: value } = await send<{ token: string }>('/as/tokens', {
      credentials: login.credentials,
    })
    return value
  }

  return {
    async install(folder) {
      token ??= logIn()
      token.catch(() => {
        token = undefined
      })
      const plans = '/ras/admin/marketplace/plans'
      const request = { action: 'install', source: folder, reason: 'fogbow-plugin dev' }
      const plan = await send<PlanAnswer>(plans, request, await token)
      if (plan.refusals.length > 0)
        throw new FogbowError('unacceptable_operation', plan.refusals.join('; '))
      const accepted = { accept: plan.needsAcceptance }
      await send(`${plans}/${encodeURIComponent(plan.id)}/apply`, accepted, await token)
    },
  }
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : text
  } catch {
    return text.slice(0, 1024)
  }
}
