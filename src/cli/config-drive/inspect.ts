import { UsageError } from '../../config/read.ts'
import { readerProblems } from '../../config-drive/readers.ts'
import { withDrive } from '../../daemons/drives.ts'
import { suggestion } from '../../text/nearest.ts'
import { table } from '../terminal.ts'
import { printable } from './printable.ts'
import type { Verb } from './verb.ts'

export const inspect: Verb = {
  name: 'inspect',
  usage: 'FILE',
  operands: 1,
  run: async ([file], { values, terminal }) => {
    if (file === undefined) throw new UsageError('name the image: firstboot config-drive inspect FILE')
    const { format, label, size, entries, problems } = withDrive(file, (drive) => ({
      ...drive,
      problems: readerProblems(drive),
    }))
    if (values.json) {
      terminal.print(JSON.stringify({ format, label, bytes: size, entries, warnings: problems }, null, 2))
      return 0
    }
    terminal.print(`${format}, label ${printable(label)}, ${size} bytes`)
    const rows = entries.map(({ path, kind, size: bytes }) => [
      kind === 'file' ? String(bytes).padStart(10) : kind.padStart(10),
      printable(path),
    ])
    table(rows).forEach(terminal.print)
    for (const problem of problems) terminal.say(`Note: ${problem}.`)
    return 0
  },
}

export const cat: Verb = {
  name: 'cat',
  usage: 'FILE PATH',
  operands: 2,
  run: async ([file, path], { terminal }) => {
    if (file === undefined || path === undefined)
      throw new UsageError(
        'name the image and a path on it: firstboot config-drive cat FILE openstack/latest/meta_data.json',
      )
    const wanted = path.replace(/^\/+/, '')
    const { body, paths } = withDrive(file, (drive) => ({
      body: drive.read(wanted),
      paths: drive.entries.filter(({ kind }) => kind === 'file').map((entry) => entry.path),
    }))
    if (body === undefined) {
      terminal.say(`there is no file ${printable(wanted)} on ${file}${printable(suggestion(wanted, paths))}`)
      return 1
    }
    terminal.write(body)
    return 0
  },
}
