import { userData } from '../documents/user-data.ts'
import type { CloudConfigRules } from './cloud-config/rules.ts'
import { bySeverity, type Check, type Finding, type Place, placeIn, runChecks } from './finding.ts'
import { configDriveChecks } from './server/config-drive.ts'
import { hostnameChecks } from './server/hostname.ts'
import { keyPairChecks } from './server/key-pair.ts'
import { networkChecks } from './server/network.ts'
import { propertyChecks } from './server/properties.ts'
import type { Subject } from './server/subject.ts'
import { userDataRecordChecks } from './server/user-data-record.ts'
import { examinePiece } from './user-data/examine.ts'
import { wholePiece } from './user-data/piece.ts'

/** What is examined of a server, and where its guest would read it. */
const EXAMINED: readonly (readonly [Place, readonly Check<Subject>[]])[] = [
  [placeIn('user data'), userDataRecordChecks],
  [{ ...placeIn('meta_data.json'), member: 'hostname' }, hostnameChecks],
  [placeIn('public-keys'), keyPairChecks],
  [{ ...placeIn('meta_data.json'), member: 'meta' }, propertyChecks],
  [placeIn('network_data.json'), networkChecks],
  [placeIn('config drive'), configDriveChecks],
]

/** Everything in a server's records that would go wrong at its guest's first boot: errors first. Pure. */
export function lintServer(subject: Subject, rules: CloudConfigRules): readonly Finding[] {
  const ofRecord = EXAMINED.flatMap(([place, checks]) => runChecks(checks, subject, place))
  const bytes = userData(subject.instance)
  const means = { rules, hasKeyPair: subject.instance.keyName !== null }
  return bySeverity([...(bytes === undefined ? [] : examinePiece(wholePiece(bytes), means)), ...ofRecord])
}
