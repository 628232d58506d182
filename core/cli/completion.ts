import { Argument, type Command, type Option } from 'commander'
import type { CommandLine } from './command-line.ts'

/** One command as a shell completes it. */
interface CommandNode {
  /** Words that lead to it, such as ` compute create`; empty for the program itself. */
  path: string
  /** Subcommands, and arguments to choose from. */
  words: { name: string; description: string }[]
  options: OptionNode[]
}

interface OptionNode {
  flag: string
  description: string
  takesValue: boolean
  /** Values to choose from; none when anything goes. */
  values: readonly string[]
  takesFile: boolean
}

const scripts = { bash: toBash, zsh: toZsh, fish: toFish } as const

/** `fogbow completion bash|zsh|fish`: a script made from the tree of commands. */
export function addCompletionCommand(program: Command, { terminal }: CommandLine): void {
  program
    .command('completion')
    .description('Print a completion script for a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
Install:
  bash   fogbow completion bash > ~/.local/share/bash-completion/completions/fogbow
  zsh    fogbow completion zsh > ~/.zfunc/_fogbow     (a folder of your fpath)
  fish   fogbow completion fish > ~/.config/fish/completions/fogbow.fish`,
    )
    .action((shell: keyof typeof scripts) => terminal.print(scripts[shell](listNodes(program))))
}

function listNodes(command: Command, path = '', outer: readonly Option[] = []): CommandNode[] {
  const visible = command.createHelp().visibleCommands(command)
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const options = [...command.options, ...outer]
  const node: CommandNode = {
    path,
    words: [
      ...visible.map((each) => ({ name: each.name(), description: each.description() })),
      ...choices.map((name) => ({ name, description: '' })),
    ],
    options: options.filter((option) => !option.hidden && option.long).map(toOptionNode),
  }
  return [
    node,
    ...command.commands.flatMap((each) => listNodes(each, `${path} ${each.name()}`, options)),
  ]
}

function toOptionNode(option: Option): OptionNode {
  return {
    flag: option.long ?? '',
    description: option.description,
    takesValue: option.required,
    values: option.argChoices ?? [],
    takesFile: /<(path|file|folder|file\[:type\])>/.test(option.flags),
  }
}

/** Words of a command line are followed down the tree; what is no command, such as an id, is passed over. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
const pathPatterns = (nodes: CommandNode[]) =>
  nodes
    .filter(({ path }) => path !== '')
    .map(({ path }) => quoted(path))
    .join('|')
const wordsOf = ({ words, options }: CommandNode) =>
  [...words.map(({ name }) => name), ...options.map(({ flag }) => flag), '--help'].join(' ')

function toBash(nodes: CommandNode[]): string {
  const choices = nodes.map((node) => `    ${quoted(node.path)}) words=${quoted(wordsOf(node))} ;;`)
  return `# bash completion for fogbow
_fogbow() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
      ${pathPatterns(nodes)}) path="$path $word" ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${valueLines(nodes, {
  file: 'COMPREPLY=($(compgen -f -- "$current")); return',
  any: 'return',
  choice: (values) => `COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$current")); return`,
})}
  esac
  case "$path" in
${choices.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _fogbow fogbow`
}

function toZsh(nodes: CommandNode[]): string {
  const described = (name: string, description: string) =>
    quoted(`${name}:${description.replaceAll(':', '\\:')}`)
  const choices = nodes.map(({ path, words, options }) => {
    const names = words.map(({ name, description }) => described(name, description))
    const flags = options.map(({ flag, description }) => described(flag, description))
    return `    ${quoted(path)}) names=(${names.join(' ')}); flags=(${flags.join(' ')}) ;;`
  })
  return `#compdef fogbow
_fogbow() {
  local path_='' word previous=$words[CURRENT-1]
  local -a names flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_ $word" in
      ${pathPatterns(nodes)}) path_="$path_ $word" ;;
    esac
  done
  case "$path_ $previous" in
${valueLines(nodes, {
  file: '_files; return',
  any: '_message value; return',
  choice: (values) => `compadd -- ${values.map(quoted).join(' ')}; return`,
})}
  esac
  case "$path_" in
${choices.join('\n')}
  esac
  (( $#names )) && _describe command names
  if [[ $words[CURRENT] == -* ]] || (( ! $#names )); then _describe option flags; fi
}
if [[ $funcstack[1] == _fogbow ]]; then _fogbow "$@"; else compdef _fogbow fogbow; fi`
}

/** Lines of a case statement over \`path --option\`, for options that take a value. */
function valueLines(
  nodes: CommandNode[],
  by: { file: string; any: string; choice: (values: readonly string[]) => string },
): string {
  const lines = nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, values, takesFile }) => {
        const action = takesFile ? by.file : values.length > 0 ? by.choice(values) : by.any
        return `    ${quoted(`${path} ${flag}`)}) ${action} ;;`
      }),
  )
  return lines.join('\n')
}

function toFish(nodes: CommandNode[]): string {
  const escaped = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = nodes.flatMap(({ path, words, options }) => {
    const at = `complete -c fogbow -n ${escaped(`__fogbow_at ${escaped(path)}`)}`
    return [
      ...words.map(
        ({ name, description }) => `${at} -a ${escaped(name)} -d ${escaped(description)}`,
      ),
      ...options.map(({ flag, description, takesValue, values, takesFile }) => {
        const value = takesFile ? ' -r -F' : takesValue ? ' -x' : ''
        const choices = values.length > 0 ? ` -a ${escaped(values.join(' '))}` : ''
        return `${at} -l ${flag.slice(2)}${value}${choices} -d ${escaped(description)}`
      }),
    ]
  })
  return `# fish completion for fogbow
function __fogbow_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    switch "$path $word"
      case ${nodes
        .filter(({ path }) => path !== '')
        .map(({ path }) => escaped(path))
        .join(' ')}
        set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end
complete -c fogbow -f
${lines.join('\n')}`
}
