import type { Answer, SeenRequest } from './https-server.ts'

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/'

/** The query interface of EC2, as far as one instance goes. */
export function answerEc2({ body, headers }: SeenRequest): Answer {
  const signed = headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/')
  if (!signed) return failure('AuthFailure', 'The request is not signed')
  switch (new URLSearchParams(body).get('Action')) {
    case 'DescribeInstances':
      return answer(
        'DescribeInstances',
        `<reservationSet><item><reservationId>r-1</reservationId>
        <instancesSet>${instance('i-1')}${instance('i-2')}</instancesSet></item></reservationSet>`,
      )
    case 'DescribeRegions':
      if (headers['amz-sdk-request']?.includes('attempt=1')) {
        return failure('ServiceUnavailable', 'Come again', 503)
      }
      return answer(
        'DescribeRegions',
        '<regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo>',
      )
    case 'RunInstances':
      return answer('RunInstances', `<instancesSet>${instance('i-9')}</instancesSet>`)
    default:
      return failure('UnauthorizedOperation', 'You are not <allowed> to do this & that')
  }
}

function instance(id: string): string {
  return `<item><instanceId>${id}</instanceId><instanceState><code>16</code><name>running</name></instanceState>
    <!-- a comment --><launchTime>2026-01-02T03:04:05.000Z</launchTime>
    <tagSet><item><key>Name</key><value>a &amp; b &#252;</value></item></tagSet></item>`
}

function answer(action: string, content: string): Answer {
  const name = `${action}Response`
  return {
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${content}</${name}>`,
  }
}

function failure(code: string, message: string, status = 403): Answer {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return {
    status,
    body: `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>${text}</Message></Error></Errors><RequestID>q-1</RequestID></Response>`,
  }
}
