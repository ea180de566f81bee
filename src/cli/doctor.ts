import { truth } from '../config/option.ts'
import { carrierOptions } from '../config/options/datapath.ts'
import { ovnOptions } from '../config/options/ovn.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { examineHost } from '../doctor/examine.ts'
import { command } from './command.ts'
import { gatherFacts } from './doctor/gather.ts'
import { doctorLines, doctorSummary } from './doctor/report.ts'

export const doctor = command({
  usage: '',
  description:
    'Examines this host: programs and versions, what the kernel can do, privileges and limits, space and clock, configuration, what earlier runs left behind, and what others do that gets in the way; of a chassis of OVN its databases, daemons and bridge too. Says what is expected, what was found, and what to do. Changes nothing. Works without root, with fewer checks. Exit code 1 when there is an error; warnings leave it 0.',
  options: {
    json: truth(false, 'Print a JSON object with everything examined.'),
    ...stateOptions,
    ...carrierOptions,
    ...ovnOptions,
  },
  examples: [
    ['sudo firstboot doctor', 'is this host fit to serve, and why not'],
    ['firstboot doctor --json', 'for programs'],
  ],
  run: async ({ values, env, terminal }) => {
    const examined = examineHost(await gatherFacts(stateDirectory(values, env), env, values))
    const isWell = examined.every(({ severity }) => severity !== 'error')
    if (values.json) terminal.print(JSON.stringify({ isWell, examined }, null, 2))
    else {
      doctorLines(examined, terminal.paint).forEach(terminal.print)
      terminal.say(doctorSummary(examined))
    }
    return isWell ? 0 : 1
  },
})
