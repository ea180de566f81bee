import { UsageError } from '../config/read.ts'
import { ownCommand } from '../daemons/own-command.ts'
import { enterSandbox } from '../host/sandbox.ts'
import { command } from './command.ts'

export const sandbox = command({
  usage: '-- COMMAND [ARGUMENT...]',
  operands: Number.POSITIVE_INFINITY,
  description:
    'Runs a command in a throw-away machine: network, mount and process namespaces of its own, a fresh /run. Whatever it does to interfaces, rules and namespaces happens there and ends with it, even after kill -9. Needs no root where the kernel allows unprivileged user namespaces. `firstboot` as COMMAND is the one that makes the sandbox, installed or not.',
  options: {},
  examples: [
    ['firstboot sandbox -- ip link', 'there is nothing but lo'],
    ['firstboot sandbox -- firstboot up -f my.yaml -s /tmp/state', 'try an inventory without touching this host'],
  ],
  run: async ({ positionals }) => {
    const [program, ...args] = positionals
    if (program === undefined) throw new UsageError('name the command to run, behind --')
    return enterSandbox(program === 'firstboot' ? ownCommand(...args) : positionals)
  },
})
