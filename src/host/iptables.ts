import type { ChildProcess } from 'node:child_process'
import { HostError } from './errors.ts'
import { type Family, parseIptablesSave, type SavedTable } from './firewall.ts'
import { inNamespace } from './netns.ts'
import { captureProgram, lastLines, runProgram } from './programs.ts'

/** Where the rules of the `iptables` of this machine are kept by the kernel. */
export type Variant = 'nf_tables' | 'legacy'

const COMMANDS: Readonly<Record<Family, { readonly save: string; readonly restore: string }>> = {
  4: { save: 'iptables-save', restore: 'iptables-restore' },
  6: { save: 'ip6tables-save', restore: 'ip6tables-restore' },
}

/** @throws HostError when it is not installed */
export async function iptablesVariant(): Promise<Variant> {
  const { stdout } = await runProgram('iptables', ['-V'])
  // `iptables v1.8.9 (nf_tables)`; those before 1.8 know but one and do not name it.
  return stdout.includes('(nf_tables)') ? 'nf_tables' : 'legacy'
}

/** @param netnsPath  the namespace whose rules are meant */
export async function saveRules(netnsPath: string, family: Family): Promise<readonly SavedTable[]> {
  return parseIptablesSave(await run(netnsPath, COMMANDS[family].save, []))
}

/** @throws HostError with the line that was refused. Tables before it are as they were to be, those behind it as they were. */
export async function restoreRules(netnsPath: string, family: Family, input: string): Promise<void> {
  await run(netnsPath, COMMANDS[family].restore, ['--noflush', '-w'], input)
}

async function run(netnsPath: string, program: string, args: readonly string[], input = ''): Promise<string> {
  // A child that is started inside the section stays in the namespace.
  const start = (spawnIt: () => ChildProcess) => inNamespace<ChildProcess>(netnsPath, spawnIt)
  const { exitCode, stdout, stderr } = await captureProgram(program, args, { input, start })
  if (exitCode === 0) return stdout
  const refused = refusedLine(stderr, input)
  const what = `\`${[program, ...args].join(' ')}\` exited with ${exitCode}: ${lastLines(stderr)}`
  throw new HostError([what, refused, remedy(stderr)].filter(Boolean).join('; '))
}

/** `Error occurred at line: 3`, `iptables-restore: line 3 failed`, counted from 1. */
function refusedLine(stderr: string, input: string): string | undefined {
  const number = /\bline:? (\d+)/.exec(stderr)?.[1]
  const line = number === undefined ? undefined : input.split('\n')[Number(number) - 1]
  return line && `that line is \`${line}\``
}

const REMEDIES: readonly { readonly symptom: RegExp; readonly remedy: string }[] = [
  {
    symptom: /nf_tables.*(?:generation id|not supported|initialize)|CACHE_UPDATE failed/i,
    remedy:
      'this kernel lacks what the nf_tables variant of iptables needs: modprobe nf_tables nft_compat, or update-alternatives --set iptables /usr/sbin/iptables-legacy, and ip6tables likewise',
  },
  {
    symptom: /can't initialize ip6?tables table/i,
    remedy:
      'this kernel lacks what the legacy variant of iptables needs: modprobe the table it names (iptable_nat, ip6table_nat, ...), or update-alternatives --set iptables /usr/sbin/iptables-nft, and ip6tables likewise',
  },
  {
    symptom: /(?:extension|match|target) .*(?:not supported|missing)|No chain\/target\/match by that name/i,
    remedy: 'this kernel may lack the module of a match or target of that line (xt_connmark, xt_REDIRECT, ...)',
  },
]

function remedy(stderr: string): string | undefined {
  return REMEDIES.find(({ symptom }) => symptom.test(stderr))?.remedy
}
