import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createHome, type Home } from './fixtures/run-cli.ts'

let home: Home
let script: string

before(async () => {
  home = await createHome()
  script = join(home.folder, 'completion.bash')
  await writeFile(script, (await home.run(['completion', 'bash'])).stdout)
})
after(() => home.remove())

/** What bash offers for the last of these words. */
async function complete(...words: string[]): Promise<string[]> {
  const line = ['fogbow', ...words].map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _fogbow; echo "\${COMPREPLY[@]}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', `source '${script}'; ${ask}`], {
    cwd: home.folder,
  })
  return stdout.trim().split(' ').filter(Boolean)
}

const offers: [words: string[], offered: string[]][] = [
  [['comp'], ['compute', 'completion']],
  [['compute', 'sn'], ['snapshot']],
  [['compute', 'create', '--vc'], ['--vcpu']],
  [['compute', 'create', '--vcpu', '2', '--dis'], ['--disk']],
  [['compute', 'create', '--vcpu', ''], []],
  [['compute', 'show', 'some-id', '--js'], ['--json']],
  [
    ['--json', 'volume', 'dele'],
    ['delete', 'delegation'],
  ],
  [
    ['network', 'create', '--allocation-mode', ''],
    ['dynamic', 'static'],
  ],
  [['compute', 'create', '--public-key-file', 'completion.b'], ['completion.bash']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish', '--url', '--json', '--version', '--help'],
  ],
]
for (const [words, offered] of offers) {
  test(`bash completes 'fogbow ${words.join(' ')}' from the tree of commands`, async () => {
    assert.deepEqual((await complete(...words)).toSorted(), offered.toSorted())
  })
}

test('zsh and fish are given every command and option with its description', async () => {
  const zsh = await home.run(['completion', 'zsh'])
  assert.match(zsh.stdout, /^#compdef fogbow\n/)
  assert.match(zsh.stdout, /'--vcpu:At least so many virtual CPUs/)
  const fish = await home.run(['completion', 'fish'])
  assert.match(fish.stdout, /-l vcpu -x -d 'At least so many virtual CPUs/)
  assert.match(fish.stdout, /-a 'compute' -d 'A virtual machine'/)
})

test('a shell that is not known is refused with those that are', async () => {
  const { code, stderr } = await home.run(['completion', 'csh'])
  assert.equal(code, 2)
  assert.match(stderr, /Allowed choices are bash, zsh, fish/)
})
