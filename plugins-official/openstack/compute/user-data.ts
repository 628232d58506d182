export interface UserDataPart {
  /** base64 */
  extraUserDataFileContent?: string
  extraUserDataFileType?: string
}

/** Types that cloud-init tells parts by (cloud-init documentation, "User data formats"). */
const types: Readonly<Record<string, string>> = {
  CLOUD_BOOTHOOK: 'text/cloud-boothook',
  CLOUD_CONFIG: 'text/cloud-config',
  INCLUDE_URL: 'text/x-include-url',
  PART_HANDLER: 'text/part-handler',
  SHELL_SCRIPT: 'text/x-shellscript',
  UPSTART_JOB: 'text/upstart-job',
}

/**
 * The parts as one MIME multi-part message (RFC 2046), base64, as Nova takes it; parts without content or type are left
 * out. Each stays in base64 inside, so that no part can be taken for the end of another.
 */
export function toUserData(parts: readonly UserDataPart[] = []): string | undefined {
  const boundary = `fogbow-${crypto.randomUUID()}`
  const bodies = parts.flatMap(({ extraUserDataFileContent, extraUserDataFileType }, index) => {
    const type = types[extraUserDataFileType ?? '']
    const content = extraUserDataFileContent?.replace(/\s+/g, '')
    return type && content ? [partOf(boundary, type, content, index)] : []
  })
  if (bodies.length === 0) return undefined
  const head = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`
  return btoa(`${head}${bodies.join('')}--${boundary}--\r\n`)
}

function partOf(boundary: string, type: string, content: string, index: number): string {
  const lines = content.match(/.{1,76}/g)?.join('\r\n') ?? ''
  return [
    `--${boundary}`,
    `Content-Type: ${type}`,
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="part-${index + 1}"`,
    '',
    lines,
    '',
  ].join('\r\n')
}
