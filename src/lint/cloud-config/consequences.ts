import type { Spot } from '../finding.ts'

type Consequence = Pick<Spot, 'how' | 'mend'>

const COMMANDS: Consequence = {
  how: 'cloud-init cannot make a script of it, and none of the commands run',
  mend: 'write a list with one command an item, each as text or as a list of words; quote text with ": " in it',
}

/** What becomes of a member that has the wrong form, where more can be said than that its module fails. */
const CONSEQUENCES: Readonly<Record<string, Consequence>> = {
  runcmd: COMMANDS,
  bootcmd: COMMANDS,
  write_files: {
    how: 'cloud-init stops at the file that is wrong: it and the files after it are not written, or not as meant',
    mend: 'give each file a path; permissions are text in quotes ("0644"), since a bare 0644 is the number 420',
  },
  users: {
    how: 'the user is not created, or without what was asked for, so perhaps nobody can log in',
    mend: "write a list of mappings with name, or the word default for the image's own user",
  },
  ssh_authorized_keys: {
    how: 'the keys are taken apart into single characters or left out, so nobody can log in with them',
    mend: 'write a list with one OpenSSH line an item',
  },
  packages: {
    how: 'the text is taken for the name of one package, which does not exist; nothing is installed',
    mend: 'write a list with one package an item',
  },
  chpasswd: {
    how: 'passwords are not set, or expire at the first login',
    mend: 'write a mapping with expire and users',
  },
}

export function consequenceOf(name: string | number | undefined): Consequence {
  return CONSEQUENCES[String(name)] ?? {}
}
