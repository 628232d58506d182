import { createPublicKey, verify } from 'node:crypto'
import type { Answer, SeenRequest } from './https-server.ts'

/** Token endpoint and instances of Compute Engine; assertions must be signed with the key of `certificate`. */
export function answerGoogle(certificate: string): (request: SeenRequest) => Answer {
  return ({ method, url, headers, body }) => {
    if (url.pathname === '/token') return answerToken(new URLSearchParams(body), certificate)
    if (headers.authorization !== 'Bearer user-token') return failure(401)
    if (url.pathname === '/large') return { body: 'x'.repeat(300_000) }
    if (url.pathname === '/upload') return { body: { bytes: body.length } }
    if (method !== 'GET' || !url.pathname.endsWith('/instances')) return failure(404)
    if (url.searchParams.get('filter') !== 'name eq "a b"') return failure(400)
    return { body: { items: [{ name: 'instance-1' }, { name: 'instance-2' }] } }
  }
}

function answerToken(form: URLSearchParams, certificate: string): Answer {
  const assertion = form.get('assertion')
  if (assertion && isSigned(assertion, certificate)) return token('robot-token')
  if (form.get('refresh_token') === 'refresh-1') return token('user-token')
  return { status: 400, body: { error: 'invalid_grant' } }
}

function isSigned(assertion: string, certificate: string): boolean {
  const [header, payload, signature = ''] = assertion.split('.')
  const content = Buffer.from(`${header}.${payload}`)
  const key = createPublicKey(certificate)
  return verify('sha256', content, key, Buffer.from(signature, 'base64url'))
}

function token(value: string): Answer {
  return { body: { access_token: value, expires_in: 3600, token_type: 'Bearer' } }
}

function failure(status: number): Answer {
  return { status, body: { error: { code: status, message: `status ${status}, says the server` } } }
}
