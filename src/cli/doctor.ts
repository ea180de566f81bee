import { truth } from '../config/option.ts'
import { carrierOptions } from '../config/options/datapath.ts'
import { ovnOptions } from '../config/options/ovn.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { examineHost } from '../doctor/examine.ts'
import { againInSandbox } from './again-in-sandbox.ts'
import { command } from './command.ts'
import { gatherFacts } from './doctor/gather.ts'
import { doctorLines, doctorSummary } from './doctor/report.ts'

const options = {
  json: truth(false, 'Print a JSON object with everything examined.'),
  ...stateOptions,
  ...carrierOptions,
  ...ovnOptions,
}

export const doctor = command({
  usage: '',
  description:
    'Examines this host: programs and versions, what the kernel can do, privileges and limits, space and clock, configuration, what earlier runs left behind, and what others do that gets in the way; of a chassis of OVN its databases, daemons and bridge too. Says what is expected, what was found, and what to do. Changes nothing. Of a lab (--lab) it examines the sandbox that it runs in. Works without root, with fewer checks. Exit code 1 when there is an error; warnings leave it 0.',
  options,
  examples: [
    ['sudo firstboot doctor', 'is this host fit to serve, and why not'],
    ['firstboot doctor --lab', 'the running npm start, in its sandbox'],
    ['firstboot doctor --json', 'for programs'],
  ],
  run: async ({ values, origins, env, terminal }) => {
    const directory = stateDirectory(values, env)
    const code = await againInSandbox(directory, { name: 'doctor', options, values, origins, env, words: [] })
    if (code !== undefined) return code
    const examined = examineHost(await gatherFacts(directory, env, values))
    const isWell = examined.every(({ severity }) => severity !== 'error')
    if (values.json) terminal.print(JSON.stringify({ isWell, examined }, null, 2))
    else {
      doctorLines(examined, terminal.paint).forEach(terminal.print)
      terminal.say(doctorSummary(examined))
    }
    return isWell ? 0 : 1
  },
})
