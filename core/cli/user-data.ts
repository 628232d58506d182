import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { resources } from '@fogbow/plugin-sdk'
import { usage } from './exit.ts'

const types = resources.compute.request.properties.userData.items.properties.extraUserDataFileType

/** How cloud-init tells its formats apart (cloud-init documentation, "User data formats"). */
const firstLines: readonly [start: string, type: string][] = [
  ['#!', 'SHELL_SCRIPT'],
  ['#cloud-config', 'CLOUD_CONFIG'],
  ['#cloud-boothook', 'CLOUD_BOOTHOOK'],
  ['#include', 'INCLUDE_URL'],
  ['#part-handler', 'PART_HANDLER'],
  ['#upstart-job', 'UPSTART_JOB'],
]

/**
 * Reads `file[:type]` as one part of the user data; without a type the first line tells it.
 * @param text - such as `setup.sh` or `users.yaml:cloud-config`
 */
export async function readUserData(text: string): Promise<Record<string, string>> {
  const at = text.lastIndexOf(':')
  const named = at < 0 ? undefined : findType(text.slice(at + 1))
  const path = named ? text.slice(0, at) : text
  const content = await readPart(path, text)
  const type =
    named ?? firstLines.find(([start]) => content.toString('latin1').startsWith(start))?.[1]
  if (!type)
    throw usage(
      `--user-data: the type of ${path} cannot be told from its first line`,
      `write ${path}:type, with one of ${types.enum.join(', ')}`,
    )
  return {
    extraUserDataFileContent: content.toString('base64'),
    extraUserDataFileType: type,
    tag: basename(path),
  }
}

function findType(text: string): string | undefined {
  const type = text.toUpperCase().replaceAll('-', '_')
  return types.enum.find((known) => known === type)
}

async function readPart(path: string, text: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? cause.code : cause
    const hint = text.includes(':') ? `types are ${types.enum.join(', ')}` : undefined
    throw usage(`--user-data: ${path} cannot be read (${why})`, hint)
  }
}
